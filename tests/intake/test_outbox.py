"""What waits is forwarded whether it was remembered, was too much to remember, or was written in doubt."""

import pytest

from services.intake import outbox as module
from services.intake.outbox import KIND, ORDINARY, PAGE, Outbox
from services.intake.stored import Waiting
from shared.store import StoreUnavailable
from tests.intake.faulty import Fault, FaultyStore
from tests.intake.replica import Replica


def a_record(n: int) -> Waiting:
    return Waiting(
        id=f"{n:06}", urgent=False, at=0, topic="reports.received", key=str(n), headers={}, value="{}"
    )


async def forwarded(outbox: Outbox, at_most: int = 1_000) -> list[str]:
    """Forward all there is; the ids in their order."""
    found: list[str] = []
    while (page := await outbox.page(outbox.me, ORDINARY)) and len(found) < at_most:
        found += [record.id for _, record in page]
        await outbox.forget(place for place, _ in page)
    return found


@pytest.fixture
def outbox(replica: Replica) -> Outbox:
    return Outbox(replica.store.documents(KIND), "me")


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replica remembers three records of a lane."""
    monkeypatch.setattr(module, "REMEMBERED", 3)


async def stored(outbox: Outbox, replica: Replica) -> int:
    return len(await replica.store.documents(KIND).scan(f"{outbox.me}/", limit=1_000))


async def in_doubt(replica: Replica, fault: Fault) -> tuple[FaultyStore, Outbox]:
    """A store and the outbox in it that does not know what became of its first record."""
    store = FaultyStore(replica.store)
    outbox = Outbox(store.documents(KIND), "me")
    store.fail(KIND, fault)
    with pytest.raises(StoreUnavailable):
        await outbox.put(a_record(1))
    return store, outbox


async def test_what_is_remembered_is_not_read_back_and_leaves_the_store_with_a_tidy(
    outbox: Outbox, replica: Replica
) -> None:
    for n in range(5):
        await outbox.put(a_record(n))
    await replica.store.documents(KIND).delete([f"me/1/{3:06}"])  # nobody looks there
    assert await forwarded(outbox) == [f"{n:06}" for n in range(5)]
    assert await stored(outbox, replica) == 4
    await outbox.tidy()
    assert await stored(outbox, replica) == 0
    assert await forwarded(outbox) == []


@pytest.mark.usefixtures("little")
async def test_what_is_too_much_to_remember_is_read_back(outbox: Outbox, replica: Replica) -> None:
    count = 2 * PAGE + 10
    for n in range(count):
        await outbox.put(a_record(n))
    assert sorted(await forwarded(outbox)) == [f"{n:06}" for n in range(count)]
    await outbox.tidy()
    assert await stored(outbox, replica) == 0


@pytest.mark.usefixtures("little")
async def test_nothing_put_while_the_store_is_read_is_forgotten(outbox: Outbox) -> None:
    for n in range(6):
        await outbox.put(a_record(n))
    documents = outbox._documents
    inner, scan = documents, documents.scan

    class Late:
        """Four more records come in after the page was read and before it is returned."""

        def __getattr__(self, name: str) -> object:
            return getattr(inner, name)

        async def scan(self, *args: str, **kwargs: int) -> object:
            page = await scan(*args, **kwargs)  # type: ignore[arg-type]
            outbox._documents = inner
            for n in range(6, 10):
                await outbox.put(a_record(n))
            return page

    await outbox.forget(place for place, _ in await outbox.page("me", ORDINARY))
    outbox._documents = Late()  # type: ignore[assignment]
    assert sorted(await forwarded(outbox)) == [f"{n:06}" for n in range(3, 10)]


@pytest.mark.usefixtures("little")
async def test_what_is_too_much_to_remember_goes_out_though_more_comes_in(outbox: Outbox) -> None:
    for n in range(10):
        await outbox.put(a_record(n))
    found = set[str]()
    for n in range(10, 20):
        page = await outbox.page(outbox.me, ORDINARY)
        found |= {record.id for _, record in page}
        await outbox.forget(place for place, _ in page)
        await outbox.put(a_record(n))
    assert found >= {f"{n:06}" for n in range(10)}


async def test_what_was_written_in_doubt_and_takes_effect_late_is_forwarded(replica: Replica) -> None:
    _, outbox = await in_doubt(replica, Fault.UNREACHED)
    assert await forwarded(outbox) == []
    await replica.store.documents(KIND).insert([outbox.document(a_record(1))])
    assert await forwarded(outbox) == ["000001"]


@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.UNREACHED])
async def test_what_was_written_in_doubt_is_forwarded_if_it_is_there(replica: Replica, fault: Fault) -> None:
    _, outbox = await in_doubt(replica, fault)
    assert await forwarded(outbox) == (["000001"] if fault is Fault.REPLY_LOST else [])
    assert await forwarded(outbox) == []


async def test_a_store_that_is_away_while_it_is_read_is_read_again(replica: Replica) -> None:
    store, outbox = await in_doubt(replica, Fault.REPLY_LOST)
    store.away = True
    with pytest.raises(StoreUnavailable):
        await outbox.page("me", ORDINARY)
    store.away = False
    assert await forwarded(outbox) == ["000001"]


async def test_what_could_not_be_deleted_is_deleted_with_the_next_tidy(replica: Replica) -> None:
    store = FaultyStore(replica.store)
    outbox = Outbox(store.documents(KIND), "me")
    await outbox.put(a_record(1))
    await forwarded(outbox)
    store.away = True
    with pytest.raises(StoreUnavailable):
        await outbox.tidy()
    store.away = False
    await outbox.tidy()
    assert await stored(outbox, replica) == 0


async def test_what_others_left_is_deleted_at_once(outbox: Outbox, replica: Replica) -> None:
    other = Outbox(replica.store.documents(KIND), "other")
    await other.put(a_record(1))
    page = await outbox.page("other", ORDINARY)
    await outbox.forget(place for place, _ in page)
    assert await stored(other, replica) == 0


async def test_what_was_just_forwarded_is_not_forwarded_again(outbox: Outbox, replica: Replica) -> None:
    await outbox.put(a_record(1))
    await forwarded(outbox)
    await outbox.put(a_record(1))
    outbox.note(a_record(1))
    assert await forwarded(outbox) == []
    await outbox.tidy()
    await outbox.put(a_record(1))
    assert await stored(outbox, replica) == 1
    assert await forwarded(outbox) == ["000001"]
