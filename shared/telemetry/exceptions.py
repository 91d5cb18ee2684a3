"""Shows an exception for the log without the data it was raised over."""

import traceback
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pymongo.errors import BulkWriteError

_CHAIN_LIMIT = 10


def described(error: BaseException) -> dict[str, Any]:
    """`type`, `message`, `stack` (outermost frame first) and, where there is one, `cause`, nested."""
    described_error: dict[str, Any] = {}
    for link in reversed(list(islice(_chain(error), _CHAIN_LIMIT))):
        described_error = _link(link) | ({"cause": described_error} if described_error else {})
    return described_error


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _link(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    link: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "message": message_of(error),
        "stack": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if isinstance(error, BaseExceptionGroup):
        link["group"] = [described(member) for member in error.exceptions]
    return link


def message_of(error: BaseException) -> str:
    """The error's own words, unless its kind is known to quote its input."""
    match error:
        case ValidationError():
            return "; ".join(
                f"{'.'.join(map(str, detail['loc'])) or 'body'}: {detail['type']}"
                for detail in error.errors(include_url=False, include_context=False, include_input=False)
            )
        case BulkWriteError():
            return (
                f"write errors with codes {sorted({e['code'] for e in error.details.get('writeErrors', ())})}"
            )
        case _:
            return str(error)
