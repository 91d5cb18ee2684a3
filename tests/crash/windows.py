"""Named windows of the kernel in which a member can be told to die, freeze or hold still.

The harness writes an order (`window action`) to a file; the first time the member reaches that window it
writes down when, and carries it out. Nothing else in the member differs from a real one.
"""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.bus.consumer import Consumer
from shared.bus.publisher import Delivery, Publisher
from shared.contracts.kafka import Record
from shared.store import MongoStore

HIT, GO = ".hit", ".go"
HOLD_SECONDS = 15.0
Spring = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of a process's consumers and records its windows are about, unless all of them."""

    group: str | None = None
    outputs: tuple[str, ...] = ("",)
    """What the names of the topics begin with."""

    def reads(self, consumer: Consumer) -> bool:
        """Whether a consumer counts."""
        return self.group in (None, consumer._subscription.group)

    def writes(self, records: Sequence[Record]) -> bool:
        """Whether any of the records counts."""
        return any(record.topic.startswith(self.outputs) for record in records)


def install(order: Path, scope: Scope = Scope()) -> Spring:
    """Watch for `order` in every window of this process; return what springs one more."""

    def spring(window: str) -> None:
        if order.exists():
            wanted, action = order.read_text().split()
            if wanted == window:
                order.unlink()
                order.with_suffix(HIT).write_text(str(time.time()))
                _act(action, order.with_suffix(GO))

    assigned: list[bool] = []
    _decided(spring, assigned, scope)
    _published(spring, scope)
    _snapshot(spring)
    _rebalance(spring, assigned, scope)
    return spring


def _act(action: str, go: Path) -> None:
    if action != "hold":
        os.kill(os.getpid(), {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}[action])
        return
    deadline = time.monotonic() + HOLD_SECONDS
    while not go.exists() and time.monotonic() < deadline:
        time.sleep(0.002)


def _decided(spring: Spring, assigned: list[bool], scope: Scope) -> None:
    """`decide-publish`: decided (a desk's commit is durable), nothing of it has gone out.

    `assign` is the same place for the first time after an assignment.
    """
    publish = Publisher.publish

    async def publish_(self: Publisher, records: Sequence[Record]) -> Delivery:
        if scope.writes(records):
            spring("decide-publish")
            if assigned:
                assigned.clear()
                spring("assign")
        return await publish(self, records)

    _put(Publisher, "publish", publish_)


def _published(spring: Spring, scope: Scope) -> None:
    """`publish-commit`: effects are on the broker, their offsets are not committed."""
    commit = Consumer._commit

    async def commit_(self: Consumer) -> None:
        offsets = {tp: at for w in self.workers.values() for tp, at in w.processed.items()}
        if scope.reads(self) and any(self._committed.get(tp) != at for tp, at in offsets.items()):
            spring("publish-commit")
        await commit(self)

    _put(Consumer, "_commit", commit_)


def _snapshot(spring: Spring) -> None:
    """`snapshot`: states are saved, the head that says so is not."""
    save = MongoStore.save_snapshots

    async def save_(self: MongoStore, *arguments: Any) -> None:
        await save(self, *arguments)
        spring("snapshot")

    _put(MongoStore, "save_snapshots", save_)


def _rebalance(spring: Spring, assigned: list[bool], scope: Scope) -> None:
    """`revoke`: asked to give up partitions, with work in hand."""
    revoke, assign = Consumer.on_partitions_revoked, Consumer.on_partitions_assigned

    async def revoked_(self: Consumer, partitions: Any) -> None:
        if partitions and scope.reads(self):
            spring("revoke")
        await revoke(self, partitions)

    async def assigned_(self: Consumer, partitions: Any) -> None:
        await assign(self, partitions)
        if scope.reads(self):
            assigned.append(True)

    _put(Consumer, "on_partitions_revoked", revoked_)
    _put(Consumer, "on_partitions_assigned", assigned_)


def _put(owner: type, name: str, function: Callable[..., Any]) -> None:
    setattr(owner, name, function)
