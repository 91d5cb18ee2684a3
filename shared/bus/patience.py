"""Waiting in place for what is outside: the same step again until it works, seen by metrics and readiness."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.bus.backoff import Backoff
from shared.bus.errors import transient_reason
from shared.telemetry import Metrics
from shared.telemetry.reasons import Reason

log = logging.getLogger(__name__)
R = TypeVar("R")


class Patience:
    """Runs steps that may meet a transient fault. One per worker; `waiting` says for what, if it is."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.waiting: Reason | None = None
        self._held = False

    def hold(self, error: Exception) -> None:
        """Be seen to wait because of a transient `error`, through whatever is tried, until `release`."""
        self._held = True
        self._show(transient_reason(error), error)

    def release(self) -> None:
        """What was waited for is there."""
        self._held = False
        self._clear()

    async def until_done(self, step: Callable[[], Awaitable[R]]) -> R:
        """Return what `step` returns, however often it must be tried; its other errors pass through.

        Safe to cancel: a step that never came to an end has caused nothing that a redo does not cause again.
        """
        backoff = Backoff()
        try:
            while True:
                try:
                    return await step()
                except asyncio.CancelledError:
                    raise
                except Exception as error:  # noqa: BLE001  (judged, and raised again if waiting is no help)
                    self._wait_for(transient_reason(error), error)
                await backoff.wait()
        finally:
            if not self._held:
                self._clear()

    def _wait_for(self, reason: Reason | None, error: Exception) -> None:
        if reason is None:
            raise error
        self._metrics.retried.labels(reason).inc()
        self._show(reason, error)

    def _show(self, reason: Reason | None, error: Exception) -> None:
        if reason is not None and self.waiting != reason:
            log.warning("waiting in place", extra={"reason": reason.value, "error": type(error).__name__})
            self._clear()
            self.waiting = reason
            self._metrics.transient_wait.labels(reason).inc()

    def _clear(self) -> None:
        if self.waiting is not None:
            self._metrics.transient_wait.labels(self.waiting).dec()
            self.waiting = None
