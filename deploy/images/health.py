"""The images' health check: exit 0 when a path of the service's own health surface answers 200."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection

SECONDS = 2.5


def main(path: str) -> int:
    """Ask this container's service. Raises OSError where nobody answers."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("HTTP_PORT") or "8080"), timeout=SECONDS)
    connection.request("GET", path)
    return 0 if connection.getresponse().status == HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
