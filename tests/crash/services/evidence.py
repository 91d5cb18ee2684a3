"""What the services leave behind: documents, files and logs, searched for what must not be in them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.crash.services.canaries import Canaries
from tests.crash.stage import Servers


def search(canaries: Canaries, servers: Servers, logs: Path) -> None:
    """Look through every database of the store, its files, and every log under `logs`."""
    with MongoClient[dict[str, Any]](servers.store.url) as client:
        for database in client.list_database_names():
            for name in client[database].list_collection_names():
                for document in client[database][name].find({}):
                    for value in contents(document):
                        canaries.look_inside(f"store {database}.{name}", value)
    for path in [*servers.files.rglob("*"), *logs.rglob("*")]:
        if path.is_file():
            canaries.look(f"file {path.name}", [path.read_bytes()])


def contents(value: object) -> Iterator[bytes]:
    """Yield every text and every run of bytes in a document."""
    match value:
        case bytes():
            yield value
        case str():
            yield value.encode()
        case dict():
            for inner in value.values():
                yield from contents(inner)
        case list():
            for inner in value:
                yield from contents(inner)
