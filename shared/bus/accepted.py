"""Reads from a handler's own annotation which events it is for, so that nothing is declared twice."""

from collections.abc import Callable
from inspect import isasyncgenfunction
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.contracts.event import REGISTRY, Event, EventData


def accepted_by(handler: Callable[..., Any], parameter: int = 0) -> frozenset[type[EventData]]:
    """Return the bodies `handler` takes, from the annotation of argument number `parameter`.

    `Event[A]`, `Event[A | B]`, `Event[A] | Event[B]`, and any of them in a `Sequence`; a base such as
    `IncidentEvent` is all of its kinds, `Event[Any]` every event of the contract. Raises TypeError otherwise.
    """
    if isasyncgenfunction(handler):
        raise TypeError(f"{handler.__qualname__} is async and yields: let it return a list instead")
    hints = {name: hint for name, hint in get_type_hints(handler).items() if name != "return"}
    if len(hints) <= parameter:
        raise TypeError(
            f"{handler.__qualname__} needs an annotated event, such as `event: Event[ReportReceived]`"
        )
    bodies = frozenset(_bodies(list(hints.values())[parameter]))
    if not bodies:
        raise TypeError(f"{handler.__qualname__}: its event must be Event[...] of contract models")
    return bodies


def _bodies(hint: Any, *, inside: bool = False) -> list[type[EventData]]:
    """Return the bodies that `hint` names, `inside` the brackets of an `Event[...]`."""
    if inside and (hint is Any or hint is EventData or isinstance(hint, TypeVar)):
        return REGISTRY.all()
    if inside and isinstance(hint, type) and issubclass(hint, EventData):
        return [body for body in REGISTRY.all() if issubclass(body, hint)] or [hint]
    if hint is Event:
        return REGISTRY.all()
    if get_origin(hint) in (Union, UnionType) or get_args(hint):
        inside = inside or get_origin(hint) is Event
        return [body for part in get_args(hint) for body in _bodies(part, inside=inside)]
    return []
