"""What every adapter owes its caller for documents: one winner per identity, order, kinds that stay apart."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.store import MAX_BODY_BYTES, Document, GroupCommit, Store, StoreUnavailable
from shared.store.documents import Documents
from tests.store.helpers import opened
from tests.store.proxy import TamperingProxy
from tests.store.queries import Queries


@pytest.fixture
def documents(store: Store) -> Documents:
    return store.documents("things")


async def test_an_identity_has_one_winner(documents: Documents) -> None:
    assert await documents.insert([Document("a", b"first"), Document("b", b"b")]) == [True, True]
    answers = await documents.insert([Document("a", b"second"), Document("c", b""), Document("c", b"twice")])
    assert answers == [False, True, False]
    assert await documents.get(["a", "b", "c", "d"]) == {"a": b"first", "b": b"b", "c": b""}
    assert await documents.insert([]) == []


async def test_where_nothing_is_asked_for_the_store_is_not_asked(
    documents: Documents, queries: Queries
) -> None:
    await documents.insert([Document("a", b"")])
    queries.forget()
    assert await documents.insert([]) == []
    assert await documents.get([]) == {}
    await documents.put([])
    await documents.delete([])
    assert (queries.statements, queries.filters) == (set(), [])


async def test_writers_that_race_for_an_identity_have_one_winner(store_url: str) -> None:
    async with opened(store_url) as one, opened(store_url) as two:
        writers = [one.documents("things"), two.documents("things")] * 10
        tries = [writer.insert([Document("x", b"%d" % n)]) for n, writer in enumerate(writers)]
        won = [n for n, [ours] in enumerate(await asyncio.gather(*tries)) if ours]
        assert len(won) == 1
        assert await one.documents("things").get(["x"]) == {"x": b"%d" % won[0]}


async def test_a_put_replaces_and_a_delete_forgets(documents: Documents) -> None:
    await documents.put([Document("a", b"1"), Document("b", b"1"), Document("a", bytes(range(256)))])
    await documents.put([Document("b", b"2")])
    assert await documents.get(["a", "b"]) == {"a": bytes(range(256)), "b": b"2"}
    await documents.delete(["a", "never"])
    assert await documents.get(["a"]) == {}
    assert await documents.insert([Document("a", b"again")]) == [True]
    await documents.put([])
    await documents.delete([])


async def test_a_scan_walks_a_prefix_in_byte_order(documents: Documents) -> None:
    names = ["a/1", "a/10", "a/2", "a0", "A/1", "a/~", "b/1"]
    await documents.insert([Document(name, name.encode()) for name in names])
    assert [d.id for d in await documents.scan()] == sorted(names)
    assert [d.id for d in await documents.scan("a/")] == ["a/1", "a/10", "a/2", "a/~"]
    assert [d.id for d in await documents.scan("a/", after="a/10", limit=1)] == ["a/2"]
    assert [d.id for d in await documents.scan("a/", after="A/1")] == ["a/1", "a/10", "a/2", "a/~"]
    assert await documents.scan("a/", after="b") == []
    assert (await documents.scan("b/"))[0].body == b"b/1"


async def test_documents_of_several_kinds_go_in_together(store: Store) -> None:
    await store.documents("things").insert([Document("a", b"first")])
    things = [Document("a", b"second"), Document("b", b"b")]
    await store.insert_in_order([("things", things), ("none", []), ("others", [Document("a", b"c")])])
    assert await store.documents("things").get(["a", "b"]) == {"a": b"first", "b": b"b"}
    assert await store.documents("others").get(["a"]) == {"a": b"c"}
    with pytest.raises(ValueError, match="kind"):
        await store.insert_in_order([("No Kind", [Document("a", b"")])])


async def test_many_documents_go_in_and_out_at_once(documents: Documents) -> None:
    many = [Document(f"{n:04}", b"%d" % n) for n in range(500)]
    assert await documents.insert(many) == [True] * 500
    assert await documents.insert(many) == [False] * 500
    await documents.put([Document(d.id, d.body * 2) for d in many])
    assert await documents.get([d.id for d in many]) == {d.id: d.body * 2 for d in many}
    found: list[Document] = []
    while page := await documents.scan(after=found[-1].id if found else ""):
        found += page
    assert [(d.id, d.body) for d in found] == [(d.id, d.body * 2) for d in many]
    await documents.delete([d.id for d in many])
    assert await documents.scan() == []


async def test_writers_may_insert_put_and_delete_at_the_same_time(store_url: str) -> None:
    async with opened(store_url) as one, opened(store_url) as two:

        async def live(store: Store, owner: str) -> None:
            mine = store.documents("things")
            for n in range(20):
                some = [Document(f"{owner}/{k}", b"%d" % n) for k in range(30)]
                await mine.put(some)
                assert (
                    await mine.insert([Document(f"{owner}/{k}/{n}", b"") for k in range(30)]) == [True] * 30
                )
                await mine.delete([f"{owner}/{k}/{n}" for k in range(30)])

        owners = [(store, f"{name}{n}") for n in range(3) for name, store in (("one", one), ("two", two))]
        await asyncio.gather(*(live(store, owner) for store, owner in owners))
        left = await one.documents("things").scan(limit=1_000)
        assert {d.id: d.body for d in left} == {
            f"{owner}/{k}": b"19" for _, owner in owners for k in range(30)
        }


async def test_a_body_at_the_limit_is_kept_and_so_is_an_empty_one(documents: Documents) -> None:
    largest = bytes(range(256)) * (MAX_BODY_BYTES // 256)
    await documents.insert([Document("x" * 512, largest), Document("empty", b"")])
    await documents.put([Document("empty", b"")])
    assert await documents.get(["x" * 512, "empty"]) == {"x" * 512: largest, "empty": b""}


async def test_documents_are_there_for_the_next_process(store_url: str) -> None:
    async with opened(store_url) as store:
        await store.documents("things").insert([Document("a", b"a"), Document("gone", b"")])
        await store.documents("things").delete(["gone"])
    async with opened(store_url) as store:
        assert await store.documents("things").scan() == [Document("a", b"a")]


@pytest.mark.real_mongo
async def test_a_reply_lost_after_an_insert_leaves_the_identity_taken(mongo_store_url: str) -> None:
    async with TamperingProxy(mongo_store_url) as proxy, opened(proxy.url) as store:
        proxy.lose_answer_to_next_insert()
        with pytest.raises(StoreUnavailable):
            await store.documents("things").insert([Document("a", b"ours")])
        assert await store.documents("things").insert([Document("a", b"again")]) == [False]
        assert await store.documents("things").get(["a"]) == {"a": b"ours"}


async def test_kinds_stay_apart(store: Store) -> None:
    await store.documents("things").insert([Document("a", b"thing")])
    assert await store.documents("others").insert([Document("a", b"other")]) == [True]
    assert await store.documents("things").get(["a"]) == {"a": b"thing"}
    with pytest.raises(ValueError, match="lower-case"):
        store.documents("Of$")


@pytest.mark.parametrize("id_", ["", "with space", "สวัสดี", "x" * 513, "nul\0"])
def test_an_identity_that_sorts_differently_elsewhere_is_refused(id_: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        Document(id_, b"")


def test_a_body_above_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 1048576"):
        Document("a", bytes(MAX_BODY_BYTES + 1))


class Held:
    """Documents whose inserts wait for leave, and fail where told."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.leave = asyncio.Event()
        self.fail = False

    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        self.groups.append([document.id for document in documents])
        await self.leave.wait()
        if self.fail:
            raise StoreUnavailable("away")
        return [document.id != "taken" for document in documents]


async def test_inserts_that_come_during_one_go_out_together() -> None:
    held = Held()
    together = GroupCommit(held.insert)
    waiting = [asyncio.create_task(together.write(Document(id_, b""))) for id_ in ("a", "b", "taken", "c")]
    await asyncio.sleep(0)
    waiting[3].cancel()
    held.leave.set()
    assert await asyncio.gather(*waiting[:3]) == [True, True, False]
    assert sum(map(len, held.groups)) == 4
    assert len(held.groups) <= 2
    held.fail = True
    with pytest.raises(StoreUnavailable):
        await together.write(Document("d", b""))
