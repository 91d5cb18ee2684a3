"""The HTTP surface for operators, in a thread of its own: it answers while the event loop is busy."""

import json
import logging
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import CollectorRegistry, make_wsgi_app

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Health:
    """An answer to a probe: whether all is well, and in a few words what each check found."""

    ok: bool
    checks: Mapping[str, str] = field(default_factory=dict)


Check = Callable[[], Health]


class Probes:
    """Serves `/metrics`, `/livez` and `/readyz` on (`host`, `port`) from construction until `close`.

    The checks run in request threads, so they must be quick and thread-safe; one that raises counts as
    failed. Port 0 takes a free one, told by `port`. Raises OSError when the address is taken.
    """

    def __init__(
        self, host: str, port: int, registry: CollectorRegistry, livez: Check, readyz: Check
    ) -> None:
        self._server = _Server((host, port), _Handler)
        self._server.set_app(probes_app(registry, livez, readyz))
        self.port: int = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="probes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops answering and frees the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def probes_app(registry: CollectorRegistry, livez: Check, readyz: Check) -> Callable[..., Iterable[bytes]]:
    """The WSGI application behind `Probes`."""
    metrics = make_wsgi_app(registry)
    checks = {"/livez": livez, "/readyz": readyz}

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            body = _problem(start_response, HTTPStatus.METHOD_NOT_ALLOWED, path, ("Allow", "GET, HEAD"))
        elif path == "/metrics":
            body = metrics(environ | {"REQUEST_METHOD": "GET"}, start_response)
        elif path in checks:
            body = _health(start_response, _answer(checks[path]))
        else:
            body = _problem(start_response, HTTPStatus.NOT_FOUND, path)
        return [] if method == "HEAD" else body

    return app


def _answer(check: Check) -> Health:
    try:
        return check()
    except Exception as error:
        log.exception("a health check raised")
        return Health(ok=False, checks={"error": type(error).__name__})


def _health(start_response: StartResponse, health: Health) -> list[bytes]:
    status = HTTPStatus.OK if health.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return _json(start_response, status, {"ok": health.ok, "checks": dict(health.checks)})


def _problem(
    start_response: StartResponse, status: HTTPStatus, path: str, *headers: tuple[str, str]
) -> list[bytes]:
    """RFC 9457 problem details."""
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "instance": path}
    return _json(start_response, status, problem, *headers, content_type="application/problem+json")


def _json(
    start_response: StartResponse,
    status: HTTPStatus,
    body: Mapping[str, Any],
    *headers: tuple[str, str],
    content_type: str = "application/json",
) -> list[bytes]:
    content = json.dumps(body).encode()
    described = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
    ]
    start_response(f"{status.value} {status.phrase}", [*described, *headers])
    return [content]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Without the reverse DNS lookup of the standard one, which can hold up a start for seconds."""
        TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A prober that hangs up is not worth a traceback on standard error."""
        log.debug("a probe's connection failed", exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = 5  # seconds; a silent client must not keep a thread for ever

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Probes come every few seconds: no access log."""
