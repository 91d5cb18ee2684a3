"""Trace contexts made for root events, and spans as a collector receives them."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import uuid_utils
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.settings import load_settings
from shared.telemetry import Tracing, tracing_from

ROOT = Path(__file__).parents[2]
SEED = bytes.fromhex("019abcdef01271238abcdef012345678")
SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = SAMPLED[:-1] + "0"


class Collector(ThreadingHTTPServer):
    """A tiny OTLP/HTTP sink that keeps what it is sent; `gate` holds answers back while it is clear."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[tuple[str, ExportTraceServiceRequest]] = []
        self.gate = Event()
        self.gate.set()
        super().__init__(("127.0.0.1", 0), _Sink)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def spans(self) -> list[Any]:
        return [
            span
            for _, request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Sink(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        self.server.requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.server.gate.wait(30)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    sink = Collector()
    thread = Thread(target=sink.serve_forever, args=(0.02,))
    thread.start()
    yield sink
    sink.gate.set()
    sink.shutdown()
    thread.join()
    sink.server_close()


def tracing_to(url: str, ratio: str = "0.01") -> Tracing:
    environ = {"KAFKA_URL": "a:1", "OTEL_EXPORTER_OTLP_ENDPOINT": url, "TRACE_SAMPLE_RATIO": ratio}
    return tracing_from(load_settings("dispatch", environ))


def test_a_root_event_s_trace_context_is_the_same_every_time() -> None:
    first, second = (Tracing(0.5).new_traceparent(SEED) for _ in range(2))
    assert first == second
    assert first.startswith("00-019abcdef01271238abcdef012345678-")
    assert len(first) == 55


def test_of_uuid_seeds_about_the_asked_share_is_sampled() -> None:
    tracing = Tracing(0.2)
    sampled = sum(tracing.new_traceparent(uuid_utils.uuid7().bytes).endswith("01") for _ in range(5000))
    assert 800 <= sampled <= 1200


@pytest.mark.parametrize(("ratio", "flags"), [(0.0, "00"), (1.0, "01")])
def test_none_or_all_of_the_traces_can_be_asked_for(ratio: float, flags: str) -> None:
    seeds = [SEED, b"\xff" * 16, b"\x01" + bytes(15)]
    assert {Tracing(ratio).new_traceparent(seed)[-2:] for seed in seeds} == {flags}


@pytest.mark.parametrize("seed", [b"", bytes(16), b"x" * 15])
def test_a_seed_that_cannot_be_a_trace_id_is_refused(seed: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Tracing(1).new_traceparent(seed)


def test_without_an_endpoint_nothing_counts_as_sampled_and_nothing_happens() -> None:
    tracing = tracing_from(load_settings("dispatch", {"KAFKA_URL": "a:1"}))
    assert not tracing.is_sampled(SAMPLED)
    tracing.span("decide", SAMPLED, {}, 1, 2)
    assert tracing.shutdown()


def test_without_an_endpoint_the_sdk_is_not_even_loaded() -> None:
    code = (
        "import sys; from shared.telemetry import tracing_from; from shared.settings import load_settings;"
        "tracing_from(load_settings('geo', {'KAFKA_URL': 'a:1'}));"
        "sys.exit('opentelemetry.sdk.trace' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def test_the_sampled_flag_is_the_low_bit_of_the_flags(collector: Collector) -> None:
    tracing = tracing_to(collector.url)
    assert tracing.is_sampled(SAMPLED)
    assert tracing.is_sampled(SAMPLED[:-2] + "03")
    assert not tracing.is_sampled(NOT_SAMPLED)
    assert not any(tracing.is_sampled(text) for text in ("", "01", SAMPLED + "-extra1"))
    assert tracing.shutdown()


def test_a_finished_span_reaches_the_collector_under_its_remote_parent(collector: Collector) -> None:
    tracing = tracing_to(collector.url)
    tracing.span("decide", SAMPLED, {"topic": "reports.located", "records": 3}, 1_000, 5_000)
    assert tracing.shutdown()
    (span,) = collector.spans()
    assert (span.name, span.trace_id.hex(), span.parent_span_id.hex()) == (
        "decide",
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
    )
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1_000, 5_000)
    attributes = {pair.key: pair.value for pair in span.attributes}
    assert attributes["topic"].string_value == "reports.located"
    assert attributes["records"].int_value == 3


def test_spans_are_posted_to_the_standard_path_in_the_service_s_name(collector: Collector) -> None:
    tracing = tracing_to(collector.url + "/")
    tracing.span("decide", SAMPLED, {}, 1, 2)
    tracing.shutdown()
    ((path, request),) = collector.requests
    resource = {pair.key: pair.value.string_value for pair in request.resource_spans[0].resource.attributes}
    assert (path, resource["service.name"]) == ("/v1/traces", "dispatch")


def test_a_foreign_traceparent_that_is_garbage_is_ignored(collector: Collector) -> None:
    tracing = tracing_to(collector.url)
    for garbage in ("", SAMPLED.upper(), f"00-{'0' * 32}-b7ad6b7169203331-01", "x" * 54 + "1"):
        tracing.span("decide", garbage, {}, 1, 2)
    assert tracing.shutdown()
    assert collector.spans() == []


def test_the_ratio_is_no_second_hurdle_for_a_sampled_parent(collector: Collector) -> None:
    tracing = tracing_to(collector.url, ratio="0")
    tracing.span("decide", SAMPLED, {}, 1, 2)
    tracing.shutdown()
    assert len(collector.spans()) == 1


def test_shutdown_does_not_wait_longer_than_its_deadline_for_a_hanging_collector(
    collector: Collector,
) -> None:
    tracing = tracing_to(collector.url)
    tracing.span("decide", SAMPLED, {}, 1, 2)
    collector.gate.clear()
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(tracing.shutdown, 0.2).result(timeout=5) is False
        collector.gate.set()
