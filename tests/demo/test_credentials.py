"""Credentials of a run: the services hold digests, the demonstration the keys, and nothing is made twice."""

import hashlib
from pathlib import Path

import pytest

from deploy.local.demo.credentials import prepare, read
from deploy.local.demo.day import load_day
from services.notify.webhooks.config import load_endpoints
from shared.http.keys import load_keys

HOOK_URL = "http://demo:8300/ruamjai"


def test_a_service_accepts_a_key_that_it_was_never_told(tmp_path: Path) -> None:
    prepare(tmp_path / "c", load_day(), HOOK_URL)
    keys, kept = read(tmp_path / "c/demo.yaml").keys, tmp_path / "c/api-keys.yaml"
    for name, scope in (("officer:control-room", "commands"), ("agency:ems", "disclosures")):
        assert load_keys(kept).caller(f"Bearer {keys[name]}", scope).name == name
        assert hashlib.sha256(keys[name].encode()).hexdigest() in kept.read_text()
        assert keys[name] not in kept.read_text()


def test_notify_signs_as_the_receiver_expects(tmp_path: Path) -> None:
    prepare(tmp_path / "c", load_day(), HOOK_URL)
    (endpoint,) = load_endpoints(tmp_path / "c/webhooks.yaml")
    assert (endpoint.agency, endpoint.url) == (load_day().hooked, HOOK_URL)
    assert endpoint.secrets == (read(tmp_path / "c/demo.yaml").signing,)


def test_what_a_running_stack_was_started_with_stays(tmp_path: Path) -> None:
    prepare(tmp_path / "c", load_day(), HOOK_URL)
    before = {file.name: file.read_bytes() for file in (tmp_path / "c").iterdir()}
    prepare(tmp_path / "c", load_day(), HOOK_URL)
    assert {file.name: file.read_bytes() for file in (tmp_path / "c").iterdir()} == before
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o700


def test_missing_credentials_are_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no credentials in "):
        read(tmp_path / "demo.yaml")
