"""Waiting for servers: poll a condition against a deadline, never sleep and hope."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
INTERVAL = 0.05


def poll(condition: Callable[[], Found | None], seconds: float, what: str) -> Found:
    """The first truthy answer of `condition`; TimeoutError naming `what` after `seconds` without one."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(INTERVAL)
    return found
