"""Runs geo on the pack in PACK_DIR: `python -m services.geo.app`."""

import sys

from services.geo.handlers import geo
from shared.bus.runtime import EXIT_SETTINGS
from shared.pack import PackError
from shared.pack.jurisdiction import load_jurisdiction
from shared.settings import SettingsError, load_settings


def main() -> None:
    """Load the pack, then consume until told to stop; exits with 78 when settings or pack cannot be used."""
    try:
        service = geo(load_jurisdiction(load_settings("geo").pack_dir))
    except (SettingsError, PackError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(EXIT_SETTINGS)
    service.run()


if __name__ == "__main__":
    main()
