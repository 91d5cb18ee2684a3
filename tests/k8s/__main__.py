"""`make k8s-test`: install, play the day while pods die and workloads roll, count what is lost or refused."""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.k8s.install import install, remove
from deploy.k8s.kubectl import EXIT_UNAVAILABLE, Kubectl, cluster
from deploy.k8s.play import play
from deploy.local.unavailable import Unavailable
from tests.k8s.disturbance import Disturbance
from tests.k8s.figures import figures
from tests.k8s.rendering import rendered, resources

NAMESPACE = "ruamjai-test"
NEEDED = (
    "kafkas.kafka.strimzi.io",
    "kafkatopics.kafka.strimzi.io",
    "kafkausers.kafka.strimzi.io",
    "scaledobjects.keda.sh",
    "externalsecrets.external-secrets.io",
    "podmonitors.monitoring.coreos.com",
)
TIME_DECIDES = ("assigned ", "escalated ", "agency_events ", "withheld ", "not within 45 s")
"""What a delay may change: a unit that answers late is passed over, and tasks are told of once more."""


def main() -> int:
    """Test what is installed by `make k8s-up`. 0: it holds; 1: it does not; 69: no cluster answers."""
    parser = argparse.ArgumentParser(prog="make k8s-test", description=__doc__)
    parser.add_argument("--tag", required=True, help="of the images")
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    options = parser.parse_args()
    try:
        kubectl = cluster(NAMESPACE)
    except Unavailable as error:
        print(f"nothing tested: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    problems = [*dry_runs(kubectl), *disturbed_day(kubectl, options.tag, keep=options.keep)]
    print(*(f"WRONG  {problem}" for problem in problems), sep="\n")
    print(json.dumps({"ok": not problems}))
    return 1 if problems else 0


def dry_runs(kubectl: Kubectl) -> Iterator[str]:
    """Yield what the API server has against staging and production; nothing of them is kept."""
    if folder := os.environ.get("RUAMJAI_CRDS"):
        files = [f"--filename={file}" for file in sorted(Path(folder).glob("*.yaml"))]
        kubectl.run("apply", "--server-side", *files)
        kubectl.run("wait", "--for=condition=Established", "--timeout=60s", *files)
    known = {item["metadata"]["name"] for item in kubectl.items("customresourcedefinitions")}
    if missing := [name for name in NEEDED if name not in known]:
        yield f"the cluster does not know {', '.join(missing)}; RUAMJAI_CRDS may name a folder of them"
        return
    for overlay in ("staging", "production"):
        with namespace_of(kubectl, overlay) as there:
            try:
                answer = there.run(
                    "apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-",
                    stdin=rendered(overlay),
                )  # fmt: skip
            except RuntimeError as error:
                yield f"{overlay}: {error}"
            else:
                print(f"{overlay}: the API server takes {len(answer.splitlines())} resources", flush=True)


@contextmanager
def namespace_of(kubectl: Kubectl, overlay: str) -> Iterator[Kubectl]:
    """kubectl in the overlay's namespace, in which alone its resources can be tried."""
    name = next(r["metadata"]["name"] for r in resources(overlay) if r["kind"] == "Namespace")
    there = name in {item["metadata"]["name"] for item in kubectl.items("namespaces")}
    if not there:
        kubectl.run("create", "namespace", name)
    try:
        yield Kubectl(name)
    finally:
        if not there:
            kubectl.run("delete", "namespace", name)


def disturbed_day(kubectl: Kubectl, tag: str, *, keep: bool) -> Sequence[str]:
    """Return what was wrong with a day on which each service lost a pod and was rolled."""
    try:
        remove(kubectl)
        install(kubectl, tag)
        return played(kubectl, tag)
    except (RuntimeError, TimeoutError) as error:
        return [f"{error}\n{kubectl.run('get', 'pods', '--output=wide')}"]
    finally:
        if not keep:
            remove(kubectl)


def played(kubectl: Kubectl, tag: str) -> Sequence[str]:
    """Return what was wrong; print what was seen."""
    print(json.dumps(figures(kubectl), indent=1), flush=True)
    lines: list[str] = []
    disturbance = Disturbance(kubectl)

    def hear(line: str) -> None:
        print(line, flush=True)
        lines.append(line)
        if re.search(r"[1-9]\d* incidents", line):
            disturbance.begin()

    code = play(kubectl, tag, "--insist", hear=hear)
    disturbance.end()
    print(json.dumps(disturbance.seconds | figures(kubectl), indent=1), flush=True)
    return [*judged(lines, code), *disturbance.troubles]


def judged(lines: Sequence[str], code: int) -> Iterator[str]:
    """Yield what no disturbance excuses, from what the demonstration said at its end."""
    if code not in (0, 1) or not lines or not lines[-1].startswith("{"):
        yield f"the day did not come to its end: exit code {code}"
        return
    summary = json.loads(lines[-1])
    for name in ("lost", "leaked", "refused", "dead_letters"):
        if summary[name]:
            yield f"{name}: {summary[name]}"
    if not summary["repeated"]:
        yield "nobody insisted"
    for line in lines:
        problem = line.removeprefix("WRONG  ")
        if problem != line and not problem.startswith(TIME_DECIDES):
            yield problem


if __name__ == "__main__":
    sys.exit(main())
