"""API keys: known by digest, good for their scopes only."""

import hashlib
from pathlib import Path

import pytest

from shared.http import Problem, load_keys


def keys_file(folder: Path, text: str = "") -> Path:
    """A file with one key, `secret`, or the text given."""
    digest = hashlib.sha256(b"secret").hexdigest()
    path = folder / "keys.yaml"
    path.write_text(text or f"{digest}:\n  name: officer:somchai\n  scopes: [reports.write]\n")
    return path


def test_a_key_is_good_for_its_scopes_only(tmp_path: Path) -> None:
    keys = load_keys(keys_file(tmp_path))
    assert keys.caller("Bearer secret", "reports.write").name == "officer:somchai"
    with pytest.raises(Problem) as refused:
        keys.caller("Bearer secret", "commands.write")
    assert refused.value.status == 403


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic secret", "secret"])
def test_anything_else_is_not_a_key(tmp_path: Path, header: str | None) -> None:
    with pytest.raises(Problem) as refused:
        load_keys(keys_file(tmp_path)).caller(header, "reports.write")
    assert (refused.value.status, refused.value.headers) == (401, {"WWW-Authenticate": "Bearer"})


@pytest.mark.parametrize("text", ["secret: {name: a, scopes: []}", "[1]", "{", "2026-13-01"])
def test_a_file_that_is_no_mapping_of_digests_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"keys\.yaml"):
        load_keys(keys_file(tmp_path, text))


def test_without_a_file_no_key_is_good() -> None:
    assert load_keys(None).callers == {}
