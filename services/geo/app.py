"""`python -m services.geo.app` runs geo."""

from services.geo.handlers import geo
from shared.bus import Service, launch
from shared.pack.jurisdiction import load_jurisdiction
from shared.pack.watch import PackWatch
from shared.settings import Settings


def build(settings: Settings) -> Service:
    """Return the service on the pack in PACK_DIR. Raises PackError."""
    watch = PackWatch(settings.pack_dir)
    return geo(load_jurisdiction(settings.pack_dir), watch)


if __name__ == "__main__":
    launch("geo", build)
