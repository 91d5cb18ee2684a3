"""`make k8s-up`: the overlay `local` on the cluster of the current context, with Secrets made on the spot."""

import argparse
import shutil
import sys
from pathlib import Path

import yaml

from deploy.k8s.kubectl import EXIT_UNAVAILABLE, Kubectl, cluster
from deploy.local.demo.credentials import prepare
from deploy.local.demo.day import load_day
from deploy.local.unavailable import Unavailable

ROOT = Path(__file__).parents[2]
NAMESPACE = "ruamjai"
IMAGES = ("intake", "geo", "dispatch", "notify", "cli")
HOOK_URL = "http://demo:8300/ruamjai"
MONGO = "mongodb://mongo:27017"
KEYS = f"KEYS_URL={MONGO}/ruamjai_keys"
FILES = {
    "ruamjai-intake": ["api-keys.yaml", "MASTER_KEY"],
    "ruamjai-dispatch": ["api-keys.yaml"],
    "ruamjai-notify": ["api-keys.yaml", "MASTER_KEY", "webhooks.yaml", "hook-secret"],
    "demo": ["demo.yaml"],
}
"""By Secret: what of the credentials is in it."""
LITERALS = {
    "ruamjai-intake": [f"STORE_URL={MONGO}/ruamjai_intake", KEYS],
    "ruamjai-dispatch": [f"STORE_URL={MONGO}/ruamjai_dispatch"],
    "ruamjai-notify": [f"STORE_URL={MONGO}/ruamjai_notify", KEYS],
}
WAIT = "--timeout=240s"
WORKLOADS = ("statefulset/kafka", "statefulset/mongo", "statefulset/dispatch",
             "deployment/intake", "deployment/geo", "deployment/notify")  # fmt: skip


def folder(namespace: str) -> Path:
    """Where the credentials of an installation are, on this machine and for its owner alone."""
    return ROOT / "build/k8s" / namespace


def kustomization(namespace: str, tag: str) -> str:
    """Return what is put on top of the overlay: the namespace, the images' tag, the Secrets."""
    secrets = [
        {
            "name": name,
            "files": files,
            "literals": LITERALS.get(name, []),
            "options": {"disableNameSuffixHash": True},
        }
        for name, files in FILES.items()
    ]
    return yaml.safe_dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": namespace,
            "resources": ["../../../deploy/k8s/overlays/local"],
            "images": [{"name": f"ruamjai/{image}", "newTag": tag} for image in IMAGES],
            "secretGenerator": secrets,
        }
    )


def install(kubectl: Kubectl, tag: str) -> None:
    """Install, or bring up to date, and return when everything is ready. Raises RuntimeError."""
    here = folder(kubectl.namespace)
    here.mkdir(parents=True, exist_ok=True)
    prepare(here, load_day(), HOOK_URL)
    (here / "kustomization.yaml").write_text(kustomization(kubectl.namespace, tag))
    kubectl.run("apply", "--kustomize", str(here))
    kubectl.run("wait", "--for=condition=Complete", "job/topics", WAIT)
    for workload in WORKLOADS:
        kubectl.run("rollout", "status", workload, WAIT)


def remove(kubectl: Kubectl) -> None:
    """Remove the namespace with all that is in it, and the credentials."""
    kubectl.run("delete", "namespace", kubectl.namespace, "--ignore-not-found", WAIT)
    shutil.rmtree(folder(kubectl.namespace), ignore_errors=True)


def main() -> int:
    """Install, or remove with `--remove`. 1 when that fails, 69 where no cluster answers."""
    parser = argparse.ArgumentParser(prog="make k8s-up", description=__doc__)
    parser.add_argument("--tag", required=True, help="of the images")
    parser.add_argument("--remove", action="store_true")
    options = parser.parse_args()
    try:
        kubectl = cluster(NAMESPACE)
    except Unavailable as error:
        print(f"nothing installed: {error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    try:
        remove(kubectl) if options.remove else install(kubectl, options.tag)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        print(kubectl.run("get", "pods", "--output", "wide"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
