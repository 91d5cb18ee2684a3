"""A short run of the services' crash proof, in a process of its own as people start it."""

import pytest

from tests.crash.test_short import run

pytestmark = pytest.mark.slow


def test_services_whose_members_are_killed_lose_double_and_leak_nothing() -> None:
    assert "verdict: green" in run("tests.crash.services", "--short", "--seed", "1")
