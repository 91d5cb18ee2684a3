"""What can happen in a round, and in which order a seed makes it happen."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest


@dataclass(frozen=True, slots=True)
class Fault:
    """`kind` is kill, freeze, broker or store; it strikes when a member of `role` is in `window`."""

    kind: str
    role: str
    window: str

    @property
    def in_rebalance(self) -> bool:
        """Whether the window is part of a rebalance, so that only one brings the member there."""
        return self.window in ("revoke", "assign")


def faults(kind: str, *places: str) -> list[Fault]:
    """Return a fault of `kind` for each place, "role window"."""
    return [Fault(kind, *place.split()) for place in places]


DECK = (
    faults(
        "kill",
        "desk decide-publish",
        "relay publish-commit",
        "desk snapshot",
        "desk revoke",
        "sink publish-commit",
        "desk publish-commit",
        "relay revoke",
        "desk assign",
    ),
    faults(
        "freeze",
        "desk decide-publish",
        "relay publish-commit",
        "desk publish-commit",
        "sink decide-publish",
        "desk snapshot",
        "relay revoke",
    ),
    faults("broker", "desk decide-publish", "relay decide-publish", "sink publish-commit"),
    faults("store", "desk decide-publish", "desk snapshot", "desk publish-commit"),
)


Deck = Sequence[Sequence[Fault]]
"""Faults by kind."""


def schedule(seed: int, rounds: int, deck: Deck = DECK) -> list[tuple[Fault, int]]:
    """Return the faults of a run in order, each with a seed of its own for what is left to chance.

    Kinds take turns, so that a short run has met them all; 20 rounds meet the whole deck.
    """
    chance = random.Random(seed)
    endless = _deal(chance, deck)
    return [(next(endless), chance.getrandbits(32)) for _ in range(rounds)]


def _deal(chance: random.Random, deck: Deck) -> Iterator[Fault]:
    while True:
        piles = [chance.sample(pile, len(pile)) for pile in deck]
        yield from (fault for fault in chain.from_iterable(zip_longest(*piles)) if fault)
