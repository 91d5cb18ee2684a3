"""kubectl on the cluster of the current context, and what is said where none answers."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from deploy.local.unavailable import Unavailable

EXIT_UNAVAILABLE = 69


@dataclass(frozen=True)
class Kubectl:
    """Commands in one namespace."""

    namespace: str

    def command(self, *words: str) -> list[str]:
        """The whole command line, for those who run it themselves."""
        return ["kubectl", "--namespace", self.namespace, *words]

    def run(self, *words: str, stdin: str | None = None) -> str:
        """Return what a command says. Raises RuntimeError with its complaint."""
        done = subprocess.run(self.command(*words), input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def items(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        """Return all resources of a kind."""
        words = ["--selector", selector] if selector else []
        found: list[dict[str, Any]] = json.loads(self.run("get", kind, "--output", "json", *words))["items"]
        return found


def cluster(namespace: str) -> Kubectl:
    """Return kubectl for a cluster that answers. Raises Unavailable with the reason where none does."""
    kubectl = Kubectl(namespace)
    try:
        kubectl.run("get", "--raw", "/readyz", "--request-timeout", "10s")
    except FileNotFoundError:
        raise Unavailable("no kubectl on PATH") from None
    except RuntimeError as error:
        raise Unavailable(f"no cluster answers: {error}") from None
    return kubectl
