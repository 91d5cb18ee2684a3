"""Which errors of the MongoDB driver a retry heals: those become StoreUnavailable."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pymongo.errors import BulkWriteError, ConnectionFailure, InvalidOperation, OperationFailure, PyMongoError

from shared.store.driver import Collection, Document
from shared.store.port import StoreError, StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")

DUPLICATE_KEY = 11000
# What passes by itself; https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
UNREACHABLE = {6, 7, 89, 133, 202, 262, 9001}
NO_PRIMARY_OR_MAJORITY = {64, 91, 100, 134, 189, 10107, 11600, 11602, 13435, 13436}
BUSY = {24, 43, 46, 50, 112, 175, 11601, 14031}  # locks, lost cursors, time limits, a full disk
OWN_FAULT = {1}  # the server's internal error
LOST_RACE = {DUPLICATE_KEY}  # of two upserts; conflicts that mean something are answered before they get here
HEALS = UNREACHABLE | NO_PRIMARY_OR_MAJORITY | BUSY | OWN_FAULT | LOST_RACE


def mapped(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """The method with the driver's errors in the store's words."""

    @wraps(method)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except InvalidOperation:
            raise
        except BulkWriteError as error:
            raise refused(error.details) from None  # the driver's text quotes whole documents: not for logs
        except PyMongoError as error:
            raise translate(error) from error

    return call


def translate(error: PyMongoError) -> StoreError:
    """The error our callers see."""
    heals = isinstance(error, ConnectionFailure) or error.timeout
    if isinstance(error, OperationFailure):
        heals = heals or error.code in HEALS or error.has_error_label("RetryableWriteError")
    return (StoreUnavailable if heals else StoreError)(f"MongoDB: {error}")


def refused(details: Mapping[str, Any]) -> StoreError:
    """The error our callers see of a bulk write; one lasting cause outweighs all that would pass."""
    codes = {failure["code"] for failure in (*details["writeErrors"], *details["writeConcernErrors"])}
    kind = StoreUnavailable if codes <= HEALS or not details["writeErrors"] else StoreError
    return kind(f"MongoDB: a write was refused or is not on a majority, codes {sorted(codes)}")


def only_duplicates(details: Mapping[str, Any]) -> bool:
    """All that went wrong with a bulk insert is that documents existed already."""
    codes = {failure["code"] for failure in details["writeErrors"]}
    return codes == {DUPLICATE_KEY} and not details["writeConcernErrors"]


async def insert_absent(collection: Collection, documents: Sequence[Document]) -> set[int]:
    """Insert the documents whose `_id` is free; the positions of those whose is not."""
    try:
        if documents:
            await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error.details):
            raise
        return {failure["index"] for failure in error.details["writeErrors"]}
    return set()
