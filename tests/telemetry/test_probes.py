"""The operators' HTTP surface, asked over real HTTP."""

import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from prometheus_client import CollectorRegistry

from shared.telemetry import Health, Metrics, Probes


class Service:
    """A running surface whose health a test may change."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.live = Health(ok=True)
        self.ready = Health(ok=True, checks={"broker": "answers"})
        self.probes = Probes("127.0.0.1", 0, self.registry, lambda: self.live, self.readyz)

    def readyz(self) -> Health:
        return self.ready

    def ask(self, path: str, method: str = "GET") -> tuple[int, HTTPResponse | HTTPError, bytes]:
        """Status, response and body of one request."""
        request = Request(f"http://127.0.0.1:{self.probes.port}{path}", method=method)
        try:
            with urlopen(request, timeout=5) as response:
                return response.status, response, response.read()
        except HTTPError as error:
            with error:
                return error.code, error, error.read()


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.probes.close()


def test_a_healthy_service_answers_200_with_what_its_checks_found(service: Service) -> None:
    status, response, body = service.ask("/readyz")
    assert (status, response.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(body) == {"ok": True, "checks": {"broker": "answers"}}
    assert service.ask("/livez")[0] == 200


def test_an_unready_service_answers_503_and_stays_alive(service: Service) -> None:
    service.ready = Health(ok=False, checks={"store": "does not answer"})
    status, _, body = service.ask("/readyz")
    assert (status, json.loads(body)["checks"]) == (503, {"store": "does not answer"})
    assert service.ask("/livez")[0] == 200


def test_a_check_that_raises_counts_as_failed_and_tells_only_its_type() -> None:
    def broken() -> Health:
        raise RuntimeError("0812345678")

    probes = Probes("127.0.0.1", 0, CollectorRegistry(), broken, broken)
    try:
        with pytest.raises(HTTPError) as caught:
            urlopen(f"http://127.0.0.1:{probes.port}/livez", timeout=5)
        with caught.value as error:
            assert (error.code, json.load(error)) == (503, {"ok": False, "checks": {"error": "RuntimeError"}})
    finally:
        probes.close()


def test_metrics_are_served_in_the_prometheus_format(service: Service) -> None:
    service.metrics.consumed.labels("incidents").inc(3)
    status, response, body = service.ask("/metrics")
    assert (status, response.headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert b'ruamjai_consumed_total{topic="incidents"} 3.0' in body


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_a_head_request_gets_the_status_without_a_body(service: Service, path: str) -> None:
    status, _, body = service.ask(path, method="HEAD")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/favicon.ico"])
def test_an_unknown_path_is_a_problem_document(service: Service, path: str) -> None:
    status, response, body = service.ask(path)
    assert (status, response.headers["Content-Type"]) == (404, "application/problem+json")
    problem = json.loads(body)
    assert (problem["title"], problem["status"], problem["instance"]) == ("Not Found", 404, path)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_only_reading_is_allowed(service: Service, method: str) -> None:
    status, response, _ = service.ask("/metrics", method=method)
    assert (status, response.headers["Allow"]) == (405, "GET, HEAD")


async def test_it_answers_while_the_event_loop_is_busy(service: Service) -> None:
    assert service.ask("/livez")[0] == 200  # urllib blocks the loop this test runs on


def test_a_silent_client_does_not_keep_others_waiting(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.probes.port)):
        assert service.ask("/livez")[0] == 200


def test_no_request_is_written_to_the_access_log(service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    service.ask("/livez")
    service.ask("/nowhere")
    assert capfd.readouterr() == ("", "")


def test_a_client_that_hangs_up_leaves_no_traceback(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", service.probes.port)) as client:
        client.sendall(b"GET /metrics HTTP/1.0\r\n")
    assert service.ask("/livez")[0] == 200
    assert capfd.readouterr().err == ""


def test_after_closing_the_port_is_free_again() -> None:
    first = Service()
    port = first.probes.port
    first.probes.close()
    second = Probes("127.0.0.1", port, CollectorRegistry(), lambda: Health(ok=True), lambda: Health(ok=True))
    second.close()


def test_starting_does_not_wait_for_a_name_server() -> None:
    started = time.monotonic()
    Probes("0.0.0.0", 0, CollectorRegistry(), lambda: Health(ok=True), lambda: Health(ok=True)).close()
    assert time.monotonic() - started < 2


@pytest.mark.skipif(not socket.has_ipv6, reason="expected: no IPv6")
def test_it_listens_on_ipv6() -> None:
    probes = Probes("::1", 0, CollectorRegistry(), lambda: Health(ok=True), lambda: Health(ok=True))
    try:
        with urlopen(f"http://[::1]:{probes.port}/livez", timeout=5) as response:
            assert response.status == 200
    finally:
        probes.close()
