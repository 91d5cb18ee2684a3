"""Overlays as what a cluster gets. `python -m tests.k8s.rendering` writes the golden ones again."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
ROOT = Path(__file__).parents[2]
OVERLAYS = ("local", "staging", "production")
RENDERERS = {"kustomize": ["kustomize", "build"], "kubectl": ["kubectl", "kustomize"]}
SERVICES = ("intake", "geo", "dispatch", "notify")


def renderer() -> list[str] | None:
    """Return the command that renders a folder, or None on a machine that has none."""
    return next((command for name, command in RENDERERS.items() if shutil.which(name)), None)


@cache
def rendered(overlay: str) -> str:
    """Return the overlay as YAML. Raises RuntimeError with what the renderer complains of."""
    command = renderer()
    assert command, "look whether there is a renderer first"
    folder = ROOT / "deploy/k8s/overlays" / overlay
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{overlay}: {done.stderr}")
    return done.stdout


def resources(overlay: str) -> list[Resource]:
    """Return what a cluster gets."""
    return list(yaml.safe_load_all(rendered(overlay)))


def golden(overlay: str) -> Path:
    """Where the overlay as it was last looked at is kept."""
    return Path(__file__).parent / "golden" / f"{overlay}.yaml"


def identity(resource: Resource) -> str:
    """Return what no two resources of a cluster share."""
    at = resource["metadata"]
    return "/".join((resource["apiVersion"], resource["kind"], at.get("namespace", ""), at["name"]))


def workloads(overlay: str) -> dict[str, Resource]:
    """Return the four services' workloads by name."""
    kinds = ("Deployment", "StatefulSet")
    found = {r["metadata"]["name"]: r for r in resources(overlay) if r["kind"] in kinds}
    return {name: found[name] for name in SERVICES}


def pods(overlay: str) -> Iterator[tuple[str, Resource]]:
    """Yield the pod of everything that runs, by the name of what runs it."""
    for resource in resources(overlay):
        if resource["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield resource["metadata"]["name"], resource["spec"]["template"]


if __name__ == "__main__":
    for name in OVERLAYS:
        golden(name).write_text(rendered(name))
