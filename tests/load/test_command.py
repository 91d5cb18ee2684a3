"""`ruamjai load` as operators run it: reports go in over HTTP, and are timed where the agency sees them."""

import asyncio
import json
import os
import sys
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from deploy.local.choose import Chosen
from deploy.local.kafka_server import KafkaServer
from shared.contracts.topics import agency_incidents
from tests.load.standin import intake

LOAD = ("-c", "from shared.cli import main; main()", "load")
UNSEEN = 3
"""The report of this number never reaches the agency."""


async def _load(url: str, kafka: str, *arguments: str) -> tuple[int, str]:
    environ = {**os.environ, "INTAKE_URL": url, "KAFKA_URL": kafka}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *LOAD, *arguments, env=environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


async def test_reports_are_timed_on_the_agencys_topic_and_what_never_comes_is_missing(
    chosen_kafka: Chosen[KafkaServer],
) -> None:
    code, kafka = f"a{uuid4().hex[:8]}", chosen_kafka.server.url
    topic = agency_incidents(code).name
    chosen_kafka.server.create_topic(topic, 2)
    heads: list[str] = []
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:

        async def accept(number: int) -> str:
            trace = heads[-1].partition("traceparent: ")[2].split("\r\n")[0].encode()
            if number != UNSEEN:
                await producer.send_and_wait(topic, b"{}", headers=[("traceparent", trace)])
            return "202 Accepted"

        async with intake(accept, heads) as (url, _):
            options = ("--agency", code, "--rate", "40", "--seconds", "1", "--patience", "1")
            status, printed = await _load(url, kafka, *options, "--connections", "1")
    assert status == 0, printed
    found = json.loads(printed.splitlines()[-1])
    agency = found["agencies"][code]
    assert found["accepted"] == found["offered"] == len(heads) > UNSEEN
    assert agency["missing"] == 1
    assert 0 < agency["all_ms"]["p50"] <= agency["all_ms"]["max"] < 20_000
    assert f"1 of the accepted reports were not seen by {code}" in printed


async def test_a_mix_that_makes_no_sense_is_a_usage_error(kafka_url: str) -> None:
    status, printed = await _load("http://127.0.0.1:9", kafka_url, "--mix", "calm=1")
    assert status == 2
    assert "'calm' is none of ordinary, urgent, repeat" in printed
