"""The reference page of the settings is the model, written down."""

from pathlib import Path

from shared.settings import Settings
from shared.settings.reference import settings_page

PAGE = Path(__file__).parents[2] / "docs/reference/settings.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == settings_page(), "run: python -m shared.settings"


def test_every_setting_says_what_it_means_and_what_it_looks_like() -> None:
    for name, field in Settings.model_fields.items():
        assert name == "service" or (field.description and field.examples), name
