"""Identifiers: roots are UUIDv7, everything derived is a UUIDv5, so doing work twice names it the same."""

from uuid_utils import UUID, uuid5, uuid7

NAMESPACE = UUID("5e9a2c1e-7d0b-5f43-9c55-6b1f0d3a7e11")


def new_id() -> str:
    """Return the id of a root event: a UUIDv7, so ids sort by the millisecond they were made in."""
    return str(uuid7())


def derived_id(cause: str, event_type: str, subject: str, ordinal: int) -> str:
    """Return the id of the `ordinal`-th event (from 0) that `cause` brought about.

    A UUIDv5 (RFC 9562) in Ruamjai's namespace. The parts are joined by U+0000, which neither an id nor a
    subject may contain, so two different events never share a name.
    """
    return str(uuid5(NAMESPACE, f"{cause}\0{event_type}\0{subject}\0{ordinal}"))


def timer_id(subject: str, kind: str, attempt: int) -> str:
    """Return the cause id of the `attempt`-th firing of timer `kind` on `subject`."""
    return str(uuid5(NAMESPACE, f"{subject}\0{kind}\0{attempt}"))
