"""The bus kernel: what turns a handler into a consumer service that loses nothing and does nothing twice."""

from shared.bus.decider import Decider
from shared.bus.emit import Cancel, Decision, Emit, Keep, Timer, TimerFired
from shared.bus.errors import FatalError, Retry
from shared.bus.service import Service, launch

__all__ = [
    "Cancel",
    "Decider",
    "Decision",
    "Emit",
    "FatalError",
    "Keep",
    "Retry",
    "Service",
    "Timer",
    "TimerFired",
    "launch",
]
