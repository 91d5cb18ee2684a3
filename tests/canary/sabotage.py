"""`python -m tests.canary.sabotage SERVICE MISTAKE`: a service with one mistake that must be found."""

import runpy
import sys
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

import services.intake.draft
import services.notify.verdict
from services.notify.fields import GRANTABLE, share
from shared.contracts.values import Sealed
from shared.contracts.view import IncidentView
from shared.sealing import KeyRing


def rule_skipped() -> None:
    """Every field is shared, whatever was granted."""

    def share_all(view: IncidentView, _: Any) -> Any:
        return share(view, GRANTABLE)

    _put(services.notify.verdict, "share", share_all)


def seal_forgotten() -> None:
    """What is to be sealed is only written in base64."""

    async def seal(_: KeyRing, about: str, plaintext: bytes) -> Sealed:
        nothing = b64encode(bytes(12)).decode()
        return Sealed(key_id=about, nonce=nothing, ciphertext=b64encode(plaintext).decode())

    _put(KeyRing, "seal", seal)


def mask_forgotten() -> None:
    """Phone numbers and citizen ids stay in the text."""
    _put(services.intake.draft, "public", lambda text: text)


def _put(owner: Any, name: str, replacement: Any) -> None:
    assert hasattr(owner, name), f"there is no {name} any more"
    setattr(owner, name, replacement)


MISTAKES: Mapping[str, Callable[[], None]] = {
    mistake.__name__: mistake for mistake in (rule_skipped, seal_forgotten, mask_forgotten)
}

if __name__ == "__main__":
    service, name = sys.argv[1:]
    MISTAKES[name]()
    runpy.run_module(f"services.{service}.app", run_name="__main__")
