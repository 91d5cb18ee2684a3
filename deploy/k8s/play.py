"""`make demo TARGET=k8s`: plays the demonstration's day from a pod beside the services."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import yaml

from deploy.k8s.install import NAMESPACE
from deploy.k8s.kubectl import EXIT_UNAVAILABLE, Kubectl, cluster
from deploy.local.unavailable import Unavailable
from deploy.local.wait import poll

POD = Path(__file__).with_name("demo.yaml")
SERVICES = "app.kubernetes.io/component=service"
START_SECONDS = 60.0
LOOK_SECONDS = 0.5


def play(kubectl: Kubectl, tag: str, *more: str, hear: Callable[[str], None] = print) -> int:
    """Play the day on what is installed; `hear` is told each line of it. Returns its exit code."""
    kubectl.run("delete", "pod", "demo", "--ignore-not-found")
    kubectl.run("apply", "--filename", "-", stdin=manifest(tag, *more))
    poll(lambda: state(kubectl).keys() - {"waiting"}, START_SECONDS, "the demonstration's pod runs")
    with told(kubectl), following(kubectl, "demo") as output:
        for line in output:
            hear(line.rstrip("\n"))
    ended = poll(lambda: state(kubectl).get("terminated"), START_SECONDS, "the demonstration has ended")
    return int(ended["exitCode"])


def manifest(tag: str, *more: str) -> str:
    """Return the pod, with the tag of its image and more arguments."""
    pod = yaml.safe_load(POD.read_text())
    container = pod["spec"]["containers"][0]
    container["image"] += f":{tag}"
    container["args"] += more
    return yaml.safe_dump(pod)


def state(kubectl: Kubectl) -> dict[str, Any]:
    """Return what the demonstration's container is, by Kubernetes' word: waiting, running or terminated."""
    pods = kubectl.items("pods", "app.kubernetes.io/name=demo")
    found: list[dict[str, Any]] = [s["state"] for p in pods for s in p["status"].get("containerStatuses", ())]
    return found[0] if found else {"waiting": {}}


@contextmanager
def following(kubectl: Kubectl, pod: str) -> Iterator[Any]:
    """What a pod prints, line by line, until it ends."""
    command = kubectl.command("logs", "--follow", pod)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout
        process.terminate()


@contextmanager
def told(kubectl: Kubectl) -> Iterator[None]:
    """Give the demonstration on its standard input what every service's pod logs, also those to come."""
    done = Event()
    command = kubectl.command("attach", "--stdin", "--quiet", "demo")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as attached:
        thread = Thread(target=_tell, args=(kubectl, attached, done))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            attached.terminate()


def _tell(kubectl: Kubectl, attached: "subprocess.Popen[bytes]", done: Event) -> None:
    followers: dict[tuple[str, str, int], subprocess.Popen[bytes]] = {}
    while not done.is_set():
        for one in sorted(set(_running(kubectl)) - followers.keys()):
            command = kubectl.command("logs", "--follow", one[0])
            followers[one] = subprocess.Popen(command, stdout=attached.stdin, stderr=subprocess.DEVNULL)
        time.sleep(LOOK_SECONDS)
    for follower in followers.values():
        follower.terminate()
        follower.wait()


def _running(kubectl: Kubectl) -> Iterator[tuple[str, str, int]]:
    """Yield each service's pod that has something to log: name, identity, how often it was started again."""
    for pod in kubectl.items("pods", SERVICES):
        for status in pod["status"].get("containerStatuses", ()):
            if "running" in status["state"]:
                yield pod["metadata"]["name"], pod["metadata"]["uid"], status["restartCount"]


def main() -> int:
    """Play the day once. 0: as expected; 1: it is not; 69: no cluster answers."""
    parser = argparse.ArgumentParser(prog="make demo TARGET=k8s", description=__doc__)
    parser.add_argument("--tag", required=True, help="of the images")
    options = parser.parse_args()
    try:
        kubectl = cluster(NAMESPACE)
    except Unavailable as error:
        print(f"nothing to play on: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    return play(kubectl, options.tag)


if __name__ == "__main__":
    sys.exit(main())
