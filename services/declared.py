"""All services as they are declared, for what must know them all, such as the table of their rights."""

from pathlib import Path

from services.dispatch.app import build as dispatch
from services.geo.app import build as geo
from services.intake.app import build as intake
from services.notify.app import notify
from services.notify.metrics import NotifyMetrics
from services.notify.parts import declare_webhooks
from services.notify.webhooks.config import named_endpoints
from shared.bus import Service
from shared.settings import Settings

NOWHERE = "nowhere:9092"
"""Declaring connects to nothing."""


def declared(pack: Path | None = None, webhooks: Path | None = None) -> list[Service]:
    """Return the four services for a pack and a file of webhooks. Raises PackError or EndpointsError."""
    settings = Settings(service="notify", kafka_url=NOWHERE, store_url="sqlite:///:memory:", pack_dir=pack)
    telling = notify(settings)
    declare_webhooks(telling, named_endpoints(webhooks), NotifyMetrics())
    return [intake(), geo(settings), dispatch(settings), telling]
