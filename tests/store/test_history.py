"""Any interleaving of what owners do, restarts and late writers included, keeps log and snapshots true."""

from dataclasses import dataclass, field
from itertools import takewhile

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.store import Commit, Store, open_store
from tests.store.helpers import a_commit, new_stream, whole

KEYS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 12), st.integers(0, 9)),
        st.tuples(st.just("append_late"), st.integers(1, 12), st.just(0)),
        st.tuples(st.just("save"), KEYS, st.integers(0, 40)),
        st.tuples(st.just("drop"), KEYS, st.integers(0, 40)),
        st.tuples(st.just("purge"), st.integers(0, 40), st.integers(0, 10)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=25,
)
Step = tuple[str, int | str, int]


@dataclass
class Model:
    """What the store ought to hold, in plain lists, driven by the same steps."""

    store: Store
    url: str
    stream: str = field(default_factory=new_stream)
    log: list[Commit] = field(default_factory=list)
    last: int = 0
    states: dict[str, tuple[int, bytes | None]] = field(default_factory=dict)

    async def append(self, count: int, at: int) -> None:
        new = [a_commit(self.stream, self.last + i, at=at) for i in range(1, count + 1)]
        assert await self.store.append(new) == [True] * count
        self.log += new
        self.last += count

    async def append_late(self, back: int, _: int) -> None:
        """A writer that has not seen the last commits tries to write one of them that is still kept."""
        if late := self.log[-back:]:
            assert await self.store.append([a_commit(self.stream, late[0].n, b"late")]) == [False]

    async def save(self, key: str, n: int, state: bytes | None = b"state") -> None:
        await self.store.save_snapshots(self.stream, n, {key: state})
        if key not in self.states or self.states[key][0] <= n:
            self.states[key] = (n, state)

    async def drop(self, key: str, n: int) -> None:
        await self.save(key, n, None)

    async def purge(self, up_to: int, before: int) -> None:
        old = list(takewhile(lambda commit: commit.n <= up_to and commit.at < before, self.log))
        assert await self.store.purge(self.stream, up_to, before) == len(old)
        self.log = self.log[len(old) :]
        gone = old[-1].n if old else -1
        self.states = {
            k: (n, state) for k, (n, state) in self.states.items() if state is not None or n > gone
        }

    async def restart(self, _: int, __: int) -> None:
        await self.store.close()
        self.store = open_store(self.url)
        await self.store.start()

    async def check(self) -> None:
        assert await whole(self.store, self.stream, page=7) == self.log
        causes = [f"cause-{n}" for n in range(1, self.last + 2)]
        kept = {cause for commit in self.log for cause in commit.causes}
        assert await self.store.known_causes(self.stream, causes) == kept
        found = {s.key: (s.n, s.state) for s in await self.store.snapshots(self.stream)}
        assert found == {key: saved for key, saved in self.states.items() if saved[1] is not None}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_log_and_snapshots_hold_what_was_written_once_in_order(
    store_url: str, steps: list[Step]
) -> None:
    model = Model(open_store(store_url), store_url)
    await model.store.start()
    try:
        for step, *arguments in steps:
            await getattr(model, step)(*arguments)
        await model.check()
    finally:
        await model.store.close()
