"""`python -m services.dispatch.app` runs dispatch."""

from services.dispatch.service import dispatch
from services.dispatch.turn import Rules
from shared.bus import Service, launch
from shared.pack import load_pack
from shared.settings import Settings


def build(settings: Settings) -> Service:
    """Return the service on the pack in PACK_DIR. Raises PackError."""
    return dispatch(Rules(load_pack(settings.pack_dir), acknowledge_seconds=settings.acknowledge_seconds))


if __name__ == "__main__":
    launch("dispatch", build)
