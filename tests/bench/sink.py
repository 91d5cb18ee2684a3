"""A live local collector for the traced relay: takes OTLP posts and counts them."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Sink(ThreadingHTTPServer):
    """An HTTP server on a free port of this machine; `posts` counts what it took."""

    posts = 0

    @property
    def url(self) -> str:
        """The OTLP/HTTP endpoint."""
        return f"http://127.0.0.1:{self.server_port}"


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Sink)
        self.server.posts += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the bench prints tables."""


@contextmanager
def sink() -> Iterator[Sink]:
    """Run a sink for the block."""
    server = Sink(("127.0.0.1", 0), _Taker)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
