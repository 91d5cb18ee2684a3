"""Who may call whom in one run: API keys, the webhook's secret, the key that wraps keys; never committed.

`python -m deploy.local.demo.credentials FOLDER URL` makes them for services that something else starts;
URL is where these reach the demonstration's webhook receiver.
"""

import hashlib
import secrets
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import yaml

from deploy.local.demo.day import Cast, Day, load_day

HOOK = "ems-hook"
SECRET_BYTES = 32
WHSEC = "whsec_"
LOOPBACK = ("127.0.0.0/8",)
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
"""Where containers and pods are. A webhook may lead there in a demonstration only."""
FOR_THE_DEMO = "demo.yaml"
MASTER_KEY = "MASTER_KEY"


@dataclass(frozen=True)
class Credentials:
    """Everything that is secret. `keys` are API keys in clear, by the name of their holder."""

    keys: dict[str, str] = field(repr=False)
    hook_secret: str = field(repr=False)
    master_key: str = field(repr=False)

    @property
    def signing(self) -> bytes:
        """The bytes with which webhooks are signed."""
        return b64decode(self.hook_secret.removeprefix(WHSEC))

    def hand_out(self, folder: Path, cast: Cast, hook_url: str, networks: Sequence[str] = LOOPBACK) -> None:
        """Write what the services read: `api-keys.yaml` (digests only), `webhooks.yaml`, `hook-secret`."""
        scopes = scopes_of(cast, self.keys)
        digests = {
            hashlib.sha256(key.encode()).hexdigest(): {"name": name, "scopes": scopes[name]}
            for name, key in self.keys.items()
        }
        (folder / "api-keys.yaml").write_text(yaml.safe_dump(digests))
        (folder / "hook-secret").write_text(self.hook_secret)
        endpoint = {"agency": cast.hooked, "url": hook_url, "secrets": [{"file": "hook-secret"}]}
        file = {"endpoints": {HOOK: endpoint} if cast.hooked else {}, "allowed_networks": list(networks)}
        (folder / "webhooks.yaml").write_text(yaml.safe_dump(file))


def scopes_of(cast: Cast, callers: Iterable[str] = ()) -> dict[str, list[str]]:
    """Return what everybody who calls may do, by name; `callers` without a part in the day may report."""
    scopes = {name: ["reports.write"] for name in (*callers, "sensor:river-gauge")}
    scopes |= {"officer:control-room": ["commands"]}
    return scopes | {f"agency:{partner.agency}": ["disclosures"] for partner in cast.partners}


def made(cast: Cast, callers: Iterable[str] = ()) -> Credentials:
    """Return new ones."""
    keys = {name: secrets.token_urlsafe(24) for name in scopes_of(cast, callers)}
    return Credentials(keys, WHSEC + _random(), _random())


def _random() -> str:
    return b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def prepare(folder: Path, day: Day, hook_url: str) -> None:
    """Make credentials in `folder` unless they are there, for the services, the day and Grafana.

    The folder is its owner's alone; the files are readable, because containers read them as another user.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if (folder / FOR_THE_DEMO).exists():
        return
    new = made(day)
    new.hand_out(folder, day, hook_url, PRIVATE)
    (folder / MASTER_KEY).write_text(new.master_key)
    (folder / "grafana-password").write_text(secrets.token_urlsafe(24))
    (folder / FOR_THE_DEMO).write_text(yaml.safe_dump(asdict(new)))
    for file in folder.iterdir():
        file.chmod(0o644)


def read(file: Path) -> Credentials:
    """Return those that `prepare` made. Raises RuntimeError where they are not."""
    try:
        return Credentials(**yaml.safe_load(file.read_text()))
    except (OSError, TypeError, yaml.YAMLError) as error:
        raise RuntimeError(f"no credentials in {file}: {type(error).__name__}") from None


if __name__ == "__main__":
    prepare(Path(sys.argv[1]), load_day(), sys.argv[2])
