"""A small jurisdiction whose borders are easy to reckon with: west | east, at 101 degrees."""

from pathlib import Path

import pytest

from shared.pack.jurisdiction import Jurisdiction
from tests.pack.packs import loaded, small


@pytest.fixture
def jurisdiction(tmp_path: Path) -> Jurisdiction:
    """Two districts, five desks and one zone on their border."""
    return loaded(tmp_path, small())
