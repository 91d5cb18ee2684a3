"""What tests say about servers: whether one is real enough for them."""

import os
from typing import Any

import pytest

from deploy.local.choose import FORCE, Chosen, Source


def require_real(chosen: Chosen[Any], what: str) -> None:
    """Skip the test when only the embedded replacement is there, which is expected only if asked for."""
    if chosen.source is Source.EMBEDDED:
        asked_for = os.environ.get(FORCE) == Source.EMBEDDED
        reason = f"{FORCE}=embedded" if asked_for else chosen.passed_over
        pytest.skip(f"{'expected: ' if asked_for else ''}needs a real {what} ({reason})")


def require_ours(server: object, kind: type, what: str) -> None:
    """Skip the test when the server cannot be killed because somebody else started it."""
    if not isinstance(server, kind):
        pytest.skip(f"expected: {what} was started elsewhere and is not ours to kill")
