"""What pods cost: seconds until ready, restarts, memory."""

import json
from datetime import datetime
from typing import Any

from deploy.k8s.kubectl import Kubectl
from deploy.k8s.play import SERVICES

MEGABYTE = 1_000_000


def figures(kubectl: Kubectl) -> dict[str, dict[str, float]]:
    """Return by pod the seconds from the container's start to readiness, its restarts and its memory."""
    pods = kubectl.items("pods", SERVICES)
    memory = _memory(kubectl, {pod["spec"]["nodeName"] for pod in pods})
    names = [pod["metadata"]["name"] for pod in pods]
    return {
        "ready_seconds": {pod["metadata"]["name"]: _ready_seconds(pod) for pod in pods},
        "restarts": {pod["metadata"]["name"]: _container(pod)["restartCount"] for pod in pods},
        "memory_mb": {name: memory[name] for name in names if name in memory},
    }


def _container(pod: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pod["status"]["containerStatuses"][0]
    return found


def _ready_seconds(pod: dict[str, Any]) -> float:
    conditions = {c["type"]: c for c in pod["status"]["conditions"]}
    started = _container(pod)["state"]["running"]["startedAt"]
    return _instant(conditions["Ready"]["lastTransitionTime"]) - _instant(started)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _memory(kubectl: Kubectl, nodes: set[str]) -> dict[str, float]:
    """Return megabytes in use by pod, as the kubelet sees them; nothing where it may not be asked."""
    found = {}
    for node in nodes:
        try:
            said = kubectl.run("get", "--raw", f"/api/v1/nodes/{node}/proxy/stats/summary")
        except RuntimeError:
            continue
        for pod in json.loads(said)["pods"]:
            if pod["podRef"]["namespace"] == kubectl.namespace and "workingSetBytes" in pod.get("memory", {}):
                found[pod["podRef"]["name"]] = round(pod["memory"]["workingSetBytes"] / MEGABYTE)
    return found
