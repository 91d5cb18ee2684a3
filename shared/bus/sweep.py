"""A part of any service that keeps documents for a while only: it deletes what is due."""

from typing import TYPE_CHECKING

from shared.bus.patience import Patience
from shared.store.expiry import Expiry

if TYPE_CHECKING:
    from shared.bus.runtime import Runtime

SWEEP_SECONDS = 3600.0


async def sweep(runtime: "Runtime") -> None:
    """Delete what is kept no longer, now and then, until cancelled."""
    assert runtime.store is not None
    expiry, patience = Expiry(runtime.store), Patience(runtime.metrics)
    while True:
        await patience.until_done(lambda: expiry.sweep(runtime.clock.now_ms()))
        await runtime.clock.sleep(SWEEP_SECONDS)
