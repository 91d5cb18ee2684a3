"""`python -m shared.telemetry` writes the metrics' reference page to standard output."""

import sys

from shared.telemetry.reference import metrics_page

sys.stdout.write(metrics_page())
