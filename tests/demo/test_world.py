"""The world of a run: what the services need is there, and two runs on one server do not meet."""

from pathlib import Path

from deploy.local.demo.credentials import made
from deploy.local.demo.day import load_day
from deploy.local.demo.world import World, agencies_of, groups_of
from shared.settings import Settings


def a_world(mongo: str | None) -> World:
    return World(Path("/data"), "", mongo, made(load_day()))


def test_each_store_is_a_file_or_a_database_of_its_own() -> None:
    assert a_world(None).store("geo") == "sqlite:////data/geo.db"
    one, other = (a_world("mongodb://mongo:27017/x?w=1").store("geo") for _ in range(2))
    assert one.startswith("mongodb://mongo:27017/ruamjai_demo_")
    assert one.endswith("_geo?w=1")
    assert one != other
    settings = Settings(service="geo", kafka_url="h:1", store_url=one)
    assert settings.store_url == one


def test_every_partner_has_topics_and_the_webhook_a_group() -> None:
    day = load_day()
    assert {partner.agency for partner in day.partners} <= set(agencies_of(day))
    assert "notify-webhooks.ems-hook" in groups_of(day)
