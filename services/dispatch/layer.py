"""A working copy of a mapping that costs nothing to make, however much there is below it."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")
_MISSING: Any = object()
_GONE: Any = object()


class Layer(MutableMapping[K, V]):
    """What is `below`, which stays as it is, with the changes made here.

    Iterates in the order of what is below, then of what is new here.
    """

    __slots__ = ("_below", "_length", "_own")

    def __init__(self, below: Mapping[K, V]) -> None:
        self._below = below
        self._own: dict[K, V] = {}
        self._length = len(below)

    def __getitem__(self, key: K) -> V:
        found: V = self._own.get(key, _MISSING)
        if found is _MISSING:
            return self._below[key]
        if found is _GONE:
            raise KeyError(key)
        return found

    def get(self, key: K, default: Any = None) -> Any:
        """As a dictionary's; the one of the base class raises and catches an error for what is not there."""
        found = self._own.get(key, _MISSING)
        if found is _MISSING:
            return self._below.get(key, default)
        return default if found is _GONE else found

    def __contains__(self, key: object) -> bool:
        return self.get(key, _MISSING) is not _MISSING  # type: ignore[arg-type]

    def __setitem__(self, key: K, value: V) -> None:
        self._length += key not in self
        self._own[key] = value

    def __delitem__(self, key: K) -> None:
        if key not in self:
            raise KeyError(key)
        self._length -= 1
        self._own[key] = _GONE

    def __iter__(self) -> Iterator[K]:
        own, below = self._own, self._below
        yield from (key for key in below if own.get(key, _MISSING) is not _GONE)
        yield from (key for key, value in own.items() if value is not _GONE and key not in below)

    def __len__(self) -> int:
        return self._length
