"""`python -m deploy.local.demo.users` prints the KafkaUsers that `make docs` commits."""

import tempfile
from pathlib import Path

import yaml

from deploy.local.demo.credentials import HOOK
from deploy.local.demo.day import Cast, load_day
from services.rights import CLUSTER, table
from shared.rights import User
from shared.rights.strimzi import manifests

SCRAM = "scram-sha-512"


def users_of(cast: Cast) -> list[User]:
    """Return everybody who has a user on the day, its webhook's group included."""
    with tempfile.TemporaryDirectory() as folder:
        webhooks = Path(folder, "webhooks.yaml")
        endpoint = {"agency": cast.hooked, "url": "https://hooks.invalid/", "secrets": [{"env": "HOOK"}]}
        webhooks.write_text(yaml.safe_dump({"endpoints": {HOOK: endpoint} if cast.hooked else {}}))
        return table([partner.agency for partner in cast.partners], webhooks=webhooks)


if __name__ == "__main__":
    print(manifests(users_of(load_day()), CLUSTER, SCRAM), end="")
