"""Records of the store as MongoDB documents and back, and the indexes that their queries use."""

from collections.abc import Mapping

from shared.store.driver import Document
from shared.store.records import Commit, Head, Parked, Snapshot

# Every filter is on `_id` or on the first fields of one of these.
INDEXES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "commits": (("stream", "n"), ("stream", "causes")),
    "heads": (),
    "snapshots": (("stream", "dropped", "n"),),
    "parked": (("lane", "key", "_id"),),
}


def commit_id(stream: str, n: int) -> str:
    """The identity for which writers compete."""
    return f"{stream}:{n}"


def commit_document(commit: Commit) -> Document:
    """A commit to insert."""
    return {
        "_id": commit_id(commit.stream, commit.n),
        "stream": commit.stream,
        "n": commit.n,
        "at": commit.at,
        "causes": list(commit.causes),
        "body": commit.body,
    }


def commit_of(document: Document) -> Commit:
    """A stored commit."""
    d = document
    return Commit(d["stream"], d["n"], d["at"], tuple(d["causes"]), d["body"])


def head_document(head: Head) -> Document:
    """A head to save."""
    return {"_id": head.stream, "snapshot_n": head.snapshot_n, "published_n": head.published_n}


def head_of(document: Document) -> Head:
    """A stored head."""
    return Head(document["_id"], document["snapshot_n"], document["published_n"])


def snapshot_document(stream: str, key: str, n: int, state: bytes | None) -> Document:
    """A snapshot to save; a dropped key stays as a mark, so that an older writer cannot bring it back."""
    dropped = state is None
    return {
        "_id": f"{stream}:{key}",
        "stream": stream,
        "key": key,
        "n": n,
        "dropped": dropped,
        "state": state,
    }


def snapshot_of(document: Document) -> Snapshot:
    """A stored snapshot of a key that has state."""
    return Snapshot(document["stream"], document["key"], document["n"], document["state"])


def parked_id(parked: Parked) -> str:
    """The identity of a parked message; within a lane it sorts by topic, then offset."""
    return f"{parked.lane}:{parked.topic}:{parked.offset:020d}"


def parked_document(parked: Parked) -> Document:
    """A message to set aside."""
    return {
        "_id": parked_id(parked),
        "lane": parked.lane,
        "topic": parked.topic,
        "partition": parked.partition,
        "offset": parked.offset,
        "key": parked.key,
        "value": parked.value,
        "headers": [{"name": name, "value": value} for name, value in parked.headers],
        "timestamp": parked.timestamp,
        "reason": parked.reason,
    }


def parked_of(document: Document) -> Parked:
    """A stored message."""
    fields = {name: value for name, value in document.items() if name not in {"_id", "headers"}}
    return Parked(headers=tuple((h["name"], h["value"]) for h in document["headers"]), **fields)
