"""Kafka brokers with the faults tests need, whatever they run in."""

from collections.abc import Sequence
from functools import partial
from typing import Self

from deploy.local.kafka_server import KafkaServer
from deploy.local.process import Process
from deploy.local.wait import poll

READY_SECONDS = 60.0


class KafkaCluster(KafkaServer):
    """One broker per process and port, counted from 0; data and ports outlive a restart."""

    def __init__(
        self,
        processes: Sequence[Process],
        ports: Sequence[int],
    ) -> None:
        """Nothing starts here."""
        self._processes = processes
        self._urls = [f"127.0.0.1:{port}" for port in ports]
        super().__init__(",".join(self._urls))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, broker: int | None = None) -> None:
        """Start one broker, or all that are down or frozen, and wait until each knows all that run."""
        chosen = range(len(self._processes)) if broker is None else [broker]
        for index in chosen:
            self._processes[index].start()
        for index in chosen:
            poll(partial(self._ready, index), READY_SECONDS, f"Kafka broker {index} ready")

    def kill(self, broker: int = 0) -> None:
        """SIGKILL: the broker is gone at once, its data stays."""
        self._processes[broker].kill()

    def stop(self, broker: int = 0) -> None:
        """SIGTERM: the broker hands over its partitions and ends."""
        self._processes[broker].stop()

    def pause(self, broker: int = 0) -> None:
        """Freeze the broker: connections stay open and nothing answers."""
        self._processes[broker].pause()

    def resume(self, broker: int = 0) -> None:
        """Let a frozen broker go on."""
        self._processes[broker].resume()

    def close(self) -> None:
        """End all brokers, by force: in a cluster the last ones find no quorum to stop in order."""
        for process in self._processes:
            process.close()

    def _ready(self, index: int) -> bool:
        process = self._processes[index]
        if not process.running:
            raise RuntimeError(f"Kafka broker {index} ended:\n{process.last_words()}")
        running = {number for number, one in enumerate(self._processes) if one.running}
        return self.brokers(self._urls[index]) >= running
