"""The images' health check: exit 0 when a path of the service's own health surface answers 200."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection

SECONDS = 2.5


def main(path: str) -> str | None:
    """Ask this container's service; return what is wrong, None when nothing is."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("HTTP_PORT") or "8080"), timeout=SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return None if answer.status == HTTPStatus.OK else answer.read().decode(errors="replace")
    except OSError as error:
        return f"nobody answers: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
