"""docker-compose.yml: contained, with nothing secret in it, and with what the demonstration needs."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.demo.day import load_day
from deploy.local.demo.visiting import API_PORT, HEALTH_PORT
from deploy.local.demo.world import SERVICES, agencies_of, groups_of
from shared.bus.admin import topics
from shared.settings import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
ALL: dict[str, dict[str, Any]] = COMPOSE["services"]
ALL_NAMES = sorted(ALL)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_container_can_write_nothing_gain_nothing_and_take_only_its_memory(name: str) -> None:
    container = ALL[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit"} <= set(container)
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(container)


@pytest.mark.parametrize("name", ALL_NAMES)
def test_only_this_machine_reaches_a_port(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in ALL[name].get("ports", ()))


def test_whatever_is_secret_is_a_generated_file_that_git_ignores() -> None:
    assert {Path(one["file"]).parts[0] for one in COMPOSE["secrets"].values()} == {".compose"}
    assert {"/.compose/", "/.env"} <= set((ROOT / ".gitignore").read_text().split())
    values = [f"{k}={v}" for one in ALL.values() for k, v in one.get("environment", {}).items()]
    assert not [v for v in values if re.match(r"MASTER_KEY|.*PASSWORD=|.*://[^/]*@", v)]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_told_only_settings_that_exist(name: str) -> None:
    environ = {k: str(v) for k, v in ALL[name]["environment"].items() if k != "ACKNOWLEDGE_SECONDS"}
    settings = load_settings(name, environ | {"RUAMJAI_SECRETS_DIR": ""})
    assert settings.kafka_url == "kafka:9092"
    assert {API_PORT, HEALTH_PORT} == {settings.api_port, settings.http_port}


def test_two_services_never_share_a_database() -> None:
    stores = [ALL[name]["environment"].get("MONGO_URL") for name in SERVICES]
    assert len(set(stores)) == len(SERVICES)


def test_the_topics_are_those_of_the_demonstration() -> None:
    day, arguments = load_day(), ALL["topics"]["command"][2:]
    told = topics.commands["create"].make_context("create", list(arguments)).params
    wanted = {group: {topic.name for topic in inputs} for group, inputs in groups_of(day).items()}
    assert {group: {topic.name for topic in inputs} for group, inputs in told["groups"].items()} == wanted
    assert [*told["agencies"]] == agencies_of(day)


def test_prometheus_asks_every_service() -> None:
    config = yaml.safe_load((ROOT / "deploy/watch/prometheus/prometheus.yml").read_text())
    asked = [target for one in config["scrape_configs"][0]["static_configs"] for target in one["targets"]]
    assert asked == [f"{name}:{HEALTH_PORT}" for name in SERVICES]


def test_images_and_developers_have_the_same_uv() -> None:
    version = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "UV_VERSION :=" in line)
    assert f"ARG UV_VERSION={version.split()[-1]}\n" in (ROOT / "Dockerfile").read_text()
