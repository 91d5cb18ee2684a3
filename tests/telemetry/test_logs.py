"""What a log line holds, and what never gets into one."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError
from pymongo.errors import BulkWriteError

from shared.telemetry import configure_logging, log_about
from shared.telemetry.logs import JsonFormatter


class Report(BaseModel):
    phone: int


class Log:
    """A captured stream of JSON lines."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def only(self) -> dict[str, Any]:
        (line,) = self.lines()
        return line


@pytest.fixture
def log() -> Iterator[Log]:
    names = (None, "aiokafka", "pymongo", "urllib3")
    levels = {name: logging.getLogger(name).level for name in names}
    captured = Log()
    configure_logging("dispatch", "DEBUG", captured.stream)
    yield captured
    root = logging.getLogger()
    root.handlers[:] = [
        handler for handler in root.handlers if not isinstance(handler.formatter, JsonFormatter)
    ]
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


logger = logging.getLogger("shared.bus.consumer")


def append() -> None:
    """Fails as a store does."""
    try:
        connect()
    except OSError as error:
        raise RuntimeError("the store is gone") from error


def connect() -> None:
    raise OSError("no route")


def test_a_line_is_one_json_object_with_the_standard_fields(log: Log) -> None:
    logger.warning("waiting for\n%s", "the store", extra={"attempt": 3})
    line = log.only()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING",
        "service": "dispatch",
        "logger": "shared.bus.consumer",
        "message": "waiting for\nthe store",
        "attempt": 3,
    }


def test_what_is_meant_for_a_terminal_is_left_out(log: Log) -> None:
    logger.info("started", extra={"color_message": "\x1b[32mstarted"})
    assert "color_message" not in log.only()


def test_thai_text_stays_readable(log: Log) -> None:
    logger.info("เปิดเหตุ")
    assert "เปิดเหตุ" in log.stream.getvalue()


def test_bytes_that_were_no_text_still_make_a_valid_line(log: Log) -> None:
    logger.info("header %s", b"\xff".decode("utf-8", "surrogateescape"))
    assert log.only()["message"] == "header \udcff"
    log.stream.getvalue().encode("utf-8")


def test_lines_carry_the_trace_and_the_incident_they_are_about(log: Log) -> None:
    with log_about(trace_id="abc"):
        with log_about(incident_id="i-1"):
            logger.info("inner")
        logger.info("outer")
    logger.info("after")
    found = [(line.get("trace_id"), line.get("incident_id")) for line in log.lines()]
    assert found == [("abc", "i-1"), ("abc", None), (None, None)]


async def test_tasks_running_at_the_same_time_keep_their_own_context(log: Log) -> None:
    async def work(incident: str) -> None:
        with log_about(incident_id=incident):
            await asyncio.sleep(0)
            logger.info(incident)

    await asyncio.gather(work("i-1"), work("i-2"))
    lines = [line for line in log.lines() if line["logger"] == logger.name]
    assert [line["incident_id"] for line in lines] == [line["message"] for line in lines] == ["i-1", "i-2"]


def test_extra_fields_cannot_pose_as_standard_ones(log: Log) -> None:
    logger.info("x", extra={"service": "intake", "level": "FATAL"})
    assert (log.only()["service"], log.only()["level"]) == ("dispatch", "INFO")


def test_models_and_bytes_are_named_and_not_shown(log: Log) -> None:
    logger.info("x", extra={"report": Report(phone=812345678), "raw": b"0812345678"})
    assert (log.only()["report"], log.only()["raw"]) == ("<Report>", "<10 bytes>")
    assert "812345678" not in log.stream.getvalue()


def test_ids_paths_numbers_and_lists_are_shown(log: Log) -> None:
    logger.info("x", extra={"id": UUID(int=1), "at": Path("/a"), "share": float("nan"), "keys": ("a", 1)})
    line = log.only()
    assert line["id"] == "00000000-0000-0000-0000-000000000001"
    assert (line["at"], line["share"], line["keys"]) == ("/a", "nan", ["a", 1])


def test_an_exception_is_a_field_with_its_stack_and_its_cause(log: Log) -> None:
    try:
        append()
    except RuntimeError:
        logger.exception("append failed")
    exception = log.only()["exception"]
    assert (exception["type"], exception["message"]) == ("RuntimeError", "the store is gone")
    assert (exception["cause"]["type"], exception["cause"]["message"]) == ("OSError", "no route")
    assert exception["stack"][-1].endswith(" append")


def test_a_group_of_exceptions_shows_each_of_them(log: Log) -> None:
    group = ExceptionGroup("two failed", [ValueError("a"), ExceptionGroup("more", [KeyError("b")])])
    logger.error("stopped", exc_info=group)
    members = log.only()["exception"]["group"]
    assert [member["type"] for member in members] == ["ValueError", "ExceptionGroup"]


def test_a_body_that_fails_validation_is_not_quoted_even_as_a_cause(log: Log) -> None:
    try:
        try:
            Report.model_validate({"phone": "call 0812345678"})
        except ValidationError as error:
            raise RuntimeError("poison") from error
    except RuntimeError:
        logger.exception("dead-lettered")
    assert log.only()["exception"]["cause"]["message"] == "phone: int_parsing"
    assert "0812345678" not in log.stream.getvalue()


def test_a_refused_bulk_write_does_not_quote_its_documents(log: Log) -> None:
    details = {"writeErrors": [{"code": 11000, "op": {"body": "0812345678"}}]}
    logger.error("append failed", exc_info=BulkWriteError(details))
    assert log.only()["exception"]["message"] == "write errors with codes [11000]"
    assert "0812345678" not in log.stream.getvalue()


def test_libraries_that_log_commands_and_fetches_stay_quiet_at_debug_level(log: Log) -> None:
    for name in ("aiokafka.consumer.fetcher", "pymongo.command"):
        logging.getLogger(name).info("quoted body")
        logging.getLogger(name).warning("trouble")
    assert [line["message"] for line in log.lines()] == ["trouble", "trouble"]


def test_a_higher_level_holds_for_those_libraries_too(log: Log) -> None:
    configure_logging("dispatch", "ERROR", log.stream)
    logging.getLogger("aiokafka").warning("trouble")
    assert log.lines() == []


def test_configuring_twice_does_not_write_lines_twice(log: Log) -> None:
    configure_logging("dispatch", "INFO", log.stream)
    logger.info("once")
    assert log.only()["message"] == "once"
