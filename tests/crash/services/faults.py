"""What can happen to the services in a round, in windows of each of them."""

from tests.crash.faults import faults

DECK = (
    faults(
        "kill",
        "intake durable-answer",
        "dispatch decide-publish",
        "notify publish-commit",
        "geo publish-commit",
        "intake acknowledge-forget",
        "dispatch publish-commit",
        "notify decide-publish",
        "intake decide-outbox",
        "dispatch assign",
        "dispatch snapshot",
        "notify revoke",
    ),
    faults(
        "freeze",
        "dispatch decide-publish",
        "notify decide-publish",
        "intake acknowledge-forget",
        "geo publish-commit",
        "dispatch publish-commit",
    ),
    faults("broker", "dispatch decide-publish", "intake decide-publish", "notify publish-commit"),
    faults("store", "notify decide-publish", "intake decide-outbox", "dispatch decide-publish"),
    faults("agreement", "notify decide-publish"),
)
