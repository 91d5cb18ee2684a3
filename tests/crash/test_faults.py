"""The schedule of a run: the same for the same seed, and complete."""

from tests.crash.faults import DECK, schedule


def test_a_seed_replays_its_faults_and_another_seed_gives_another_run() -> None:
    assert schedule(7, 20) == schedule(7, 20)
    assert schedule(7, 20) != schedule(8, 20)


def test_four_rounds_meet_every_kind_and_twenty_the_whole_deck() -> None:
    assert {fault.kind for fault, _ in schedule(1, 4)} == {"kill", "freeze", "broker", "store"}
    assert {fault for fault, _ in schedule(1, 20)} == {fault for pile in DECK for fault in pile}
