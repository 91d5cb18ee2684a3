"""Which answers of a MongoDB server are worth a retry: those a stand-in server cannot be made to give."""

from typing import Any

import pytest
from pymongo import errors

from shared.store import StoreError, StoreUnavailable
from shared.store.mongo_errors import mapped, only_duplicates, translate

WRITE_CONCERN = {"code": 64, "errmsg": "waiting for replication timed out"}


def bulk(*codes: int, concern: bool = False) -> errors.BulkWriteError:
    failures = [{"index": i, "code": code, "errmsg": "secret body"} for i, code in enumerate(codes)]
    return errors.BulkWriteError(
        {"writeErrors": failures, "writeConcernErrors": [WRITE_CONCERN] if concern else []}
    )


async def raised(error: Exception) -> Exception:
    """What a caller sees of an error of the driver."""

    @mapped
    async def method() -> None:
        raise error

    with pytest.raises(Exception) as caught:
        await method()
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        errors.ServerSelectionTimeoutError("no servers"),
        errors.NetworkTimeout("timed out"),
        errors.NotPrimaryError("stepped down"),
        errors.WaitQueueTimeoutError("no connection"),
        errors.WTimeoutError("no majority", 64),
        errors.ExecutionTimeout("too long", 50),
        errors.CursorNotFound("gone", 43),
        errors.OperationFailure("stepped down while it waited", 11602),
        errors.OperationFailure("new kind", 424242, {"errorLabels": ["RetryableWriteError"]}),
        errors.DuplicateKeyError("two upserts raced", 11000),
    ],
)
def test_what_passes_by_itself_is_unavailable(error: errors.PyMongoError) -> None:
    assert isinstance(translate(error), StoreUnavailable)


@pytest.mark.parametrize("code", [2, 13, 18, 67])
def test_what_stays_wrong_is_not_worth_a_retry(code: int) -> None:
    assert type(translate(errors.OperationFailure("no", code))) is StoreError


async def test_a_write_that_no_majority_has_is_unavailable_even_beside_a_conflict() -> None:
    assert not only_duplicates(bulk(11000, concern=True).details)
    assert isinstance(await raised(bulk(11000, concern=True)), StoreUnavailable)
    assert isinstance(await raised(bulk(concern=True)), StoreUnavailable)


async def test_one_lasting_cause_makes_a_bulk_write_not_worth_a_retry() -> None:
    assert isinstance(await raised(bulk(11000, 189)), StoreUnavailable)
    assert type(await raised(bulk(189, 2))) is StoreError


async def test_the_content_of_documents_does_not_reach_the_error() -> None:
    error: Any = await raised(bulk(2))
    assert "secret" not in str(error)
    assert error.__suppress_context__


async def test_a_bug_in_the_caller_stays_what_it_is() -> None:
    for error in (errors.InvalidOperation("closed client"), TypeError("no commit")):
        assert await raised(error) is error
