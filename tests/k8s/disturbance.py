"""What happens to a cluster on a bad day: each service loses a pod, then each workload is rolled."""

import time
from collections.abc import Callable
from threading import Thread

from deploy.k8s.kubectl import Kubectl
from tests.k8s.rendering import SERVICES

WAIT = "--timeout=180s"


class Disturbance:
    """In a thread of its own from `begin` on; `end` waits for it. `seconds` says how long each part took."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._thread = Thread(target=self._run)
        self.troubles: list[str] = []
        self.seconds: dict[str, float] = {}

    def begin(self) -> None:
        """Begin, unless it has."""
        if self._thread.ident is None:
            self._thread.start()

    def end(self) -> None:
        """Return when all has happened; a trouble when it had not begun, or outlasted the day."""
        if self._thread.ident is None:
            self.troubles.append("nothing was disturbed")
        elif self._thread.is_alive():
            self.troubles.append("the day was over before all had been disturbed")
            self._thread.join()

    def _run(self) -> None:
        try:
            self._timed("delete one of each", self._delete)
            self._timed("roll all", self._roll)
        except RuntimeError as error:
            self.troubles.append(str(error))

    def _timed(self, what: str, do: Callable[[], None]) -> None:
        begun = time.monotonic()
        do()
        self.seconds[what] = round(time.monotonic() - begun, 1)

    def _delete(self) -> None:
        pods = [self._kubectl.items("pods", f"app.kubernetes.io/name={name}")[0] for name in SERVICES]
        self._kubectl.run("delete", "pod", *(pod["metadata"]["name"] for pod in pods))
        self._ready()

    def _roll(self) -> None:
        for name in SERVICES:
            self._kubectl.run("rollout", "restart", workload(name))
        self._ready()

    def _ready(self) -> None:
        for name in SERVICES:
            self._kubectl.run("rollout", "status", workload(name), WAIT)


def workload(name: str) -> str:
    """Return what kubectl calls the workload of a service."""
    return f"{'statefulset' if name == 'dispatch' else 'deployment'}/{name}"
