"""`python -m services.dispatch.app` runs dispatch."""

from services.dispatch.service import dispatch
from services.dispatch.turn import Rules
from shared.bus import Service, launch
from shared.pack import load_pack
from shared.pack.watch import PackWatch
from shared.settings import Settings


def build(settings: Settings) -> Service:
    """Return the service on the pack in PACK_DIR. Raises PackError."""
    watch = PackWatch(settings.pack_dir)
    return dispatch(rules_of(settings), watch)


def rules_of(settings: Settings) -> Rules:
    """Return what the desks go by. Raises PackError."""
    return Rules(
        load_pack(settings.pack_dir),
        acknowledge_seconds=settings.acknowledge_seconds,
        close_seconds=settings.close_seconds,
        forget_seconds=settings.forget_seconds,
    )


if __name__ == "__main__":
    launch("dispatch", build)
