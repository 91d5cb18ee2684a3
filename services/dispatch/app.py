"""`python -m services.dispatch.app` runs dispatch."""

import logging
import sys

from services.dispatch.service import dispatch
from services.dispatch.turn import Rules
from shared.bus.runtime import EXIT_SETTINGS
from shared.pack import PackError, load_pack
from shared.settings import SettingsError, load_settings


def main() -> None:
    """Read settings and pack; run until told to stop."""
    try:
        settings = load_settings("dispatch")
        rules = Rules(load_pack(settings.pack_dir), acknowledge_seconds=settings.acknowledge_seconds)
    except (SettingsError, PackError) as error:
        logging.critical("%s", error)
        sys.exit(EXIT_SETTINGS)
    dispatch(rules).run()


if __name__ == "__main__":
    main()
