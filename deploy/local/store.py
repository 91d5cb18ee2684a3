"""A MongoDB-compatible server with the faults tests need, and FerretDB as a process of this machine."""

from pathlib import Path
from typing import Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.local.native import ferretdb_binary
from deploy.local.ports import free_port
from deploy.local.process import Process, ServerProcess
from deploy.local.wait import poll

READY_SECONDS = 60.0


class MongoServer:
    """One process at `url`; data and port outlive a restart."""

    def __init__(self, process: Process, port: int) -> None:
        """Nothing starts here."""
        self._process = process
        self.url = f"mongodb://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start it, or let it go on when frozen, and wait until it answers."""
        self._process.start()
        poll(self._ready, READY_SECONDS, f"{self.url} ready")

    def kill(self) -> None:
        """SIGKILL: gone at once, its data stays."""
        self._process.kill()

    def stop(self) -> None:
        """SIGTERM: it closes its files and ends."""
        self._process.stop()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        self._process.resume()

    def close(self) -> None:
        """End it."""
        self._process.close()

    def _ready(self) -> bool:
        if not self._process.running:
            raise RuntimeError(f"the MongoDB-compatible server ended:\n{self._process.last_words()}")
        return answers(self.url)


def answers(url: str) -> bool:
    """True when a server at the URL answers a ping within a second or so."""
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500, socketTimeoutMS=1000) as client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
        return True


def native_mongo(data: Path, port: int | None = None) -> MongoServer:
    """FerretDB with its SQLite files in `data`; start it with `start()` or `with`. Raises Unavailable."""
    data.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    command = [str(ferretdb_binary()), "-listen", f"127.0.0.1:{port}", "-data", str(data)]
    return MongoServer(ServerProcess(command, data / "server.log"), port)
