"""`python -m shared.settings` writes the settings' reference page to standard output."""

import sys

from shared.settings.reference import settings_page

sys.stdout.write(settings_page())
