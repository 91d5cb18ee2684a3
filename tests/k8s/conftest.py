"""Skips what needs the overlays rendered where nothing can render them."""

from collections.abc import Sequence

import pytest

from tests.k8s.rendering import OVERLAYS, renderer


@pytest.fixture
def all_overlays() -> Sequence[str]:
    """Every overlay, on a machine that can render them."""
    if renderer() is None:
        pytest.skip("expected: needs kustomize or kubectl on PATH to render the overlays")
    return OVERLAYS


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest, all_overlays: Sequence[str]) -> str:
    """Each of them in turn."""
    assert request.param in all_overlays
    return str(request.param)
