"""`make acl-test`: what users may and may not do, tried on a real Kafka with TLS, log-in and rights."""

import os
import sys
from pathlib import Path

import pytest

from deploy.local.native import kafka_libs
from deploy.local.unavailable import Unavailable

HERE = Path(__file__).parent
NO_KAFKA = os.EX_UNAVAILABLE
"""69: nothing was tried, because no Kafka can be started here."""


def files() -> list[Path]:
    """Return the short tests and then the long ones, which `make test` leaves out."""
    return [*sorted(HERE.glob("test_*.py")), *sorted(HERE.glob("full_*.py"))]


def main(arguments: list[str]) -> int:
    """Run the short tests and the long ones. Returns pytest's exit code, or 69.

    Each file by its name: next to their folder pytest passes over files that it would not collect there.
    """
    try:
        kafka_libs()
    except Unavailable as reason:
        print(f"nothing was tried: a secure Kafka runs natively only: {reason}", file=sys.stderr)
        return NO_KAFKA
    return int(pytest.main([*map(str, files()), *arguments]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
