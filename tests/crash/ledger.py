"""The checker's own record of what was sent: written before sending, marked when the broker has it."""

from array import array
from enum import IntEnum


class Purpose(IntEnum):
    """What a report is for. The outcasts live on desks of their own, of which one report is poison."""

    PLAIN = 0
    REMIND = 1
    BAD_BODY = 2
    BAD_AT_RELAY = 3
    BAD_AT_DESK = 4
    OUTCAST = 5


MAY_PARK = (Purpose.BAD_AT_DESK, Purpose.OUTCAST)


class Ledger:
    """Every report by its number, from 0: its key, lane, sequence in that key and lane, and purpose."""

    def __init__(self) -> None:
        self.keys = array("I")
        self.sequences = array("I")
        self.urgent = bytearray()
        self.purposes = bytearray()
        self.acknowledged = bytearray()
        self.partitions = bytearray()
        self._sequences: dict[tuple[int, bool], int] = {}

    def __len__(self) -> int:
        return len(self.acknowledged)

    def write(self, key: int, urgent: bool, purpose: Purpose) -> tuple[int, int]:
        """Note a report that is about to be sent; return its number and sequence."""
        sequence = self._sequences.get((key, urgent), 0) + 1
        self._sequences[key, urgent] = sequence
        self.keys.append(key)
        self.sequences.append(sequence)
        self.urgent.append(urgent)
        self.purposes.append(purpose)
        self.partitions.append(0)
        self.acknowledged.append(False)  # last: other threads take the length from it
        return len(self.acknowledged) - 1, sequence

    def acknowledge(self, number: int, partition: int) -> None:
        """Note that the broker has taken the report, on that partition."""
        self.partitions[number] = partition
        self.acknowledged[number] = True


def event_id(number: int) -> str:
    """Return the `ce_id` of a report: shaped like a UUIDv7, with its number at the end."""
    return f"00000000-0000-7000-8000-{number:012x}"


def number_of(ce_id: str) -> int:
    """Return the number in an id of `event_id`."""
    return int(ce_id[-12:], 16)
