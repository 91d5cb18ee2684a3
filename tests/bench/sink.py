"""A live local collector: takes OTLP posts, counts them, and keeps them where asked to."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Sink(ThreadingHTTPServer):
    """An HTTP server on a free port: `posts` counts what it took, `bodies` is what it kept."""

    posts = 0
    bodies: list[bytes] | None = None

    @property
    def url(self) -> str:
        """The OTLP/HTTP endpoint."""
        return f"http://127.0.0.1:{self.server_port}"


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Sink)
        self.server.posts += 1
        if self.server.bodies is not None:
            zipped = self.headers.get("Content-Encoding") == "gzip"
            self.server.bodies.append(gzip.decompress(body) if zipped else body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: the bench prints tables."""


@contextmanager
def sink(*, keep: bool = False) -> Iterator[Sink]:
    """Run a sink for the block."""
    server = Sink(("127.0.0.1", 0), _Taker)
    server.bodies = [] if keep else None
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
