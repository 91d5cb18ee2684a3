"""What to make of a boundary file: what its properties mean, and which desks follow from its areas."""

from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from shared.contracts.values import AgencyCode, Code
from shared.pack.files import lines_of, read_bytes
from shared.pack.load import PackError, parsed
from shared.pack.model import DeskSpec, Names, Pack, Part

Level = Literal[2, 4, 6]
"""Digits of a code: province, district, sub-district."""
WORDS = ("code", "th", "en", "province", "amphoe", "tambon")


def _template(value: str) -> str:
    """Only plain words in braces: a template is filled with texts and may not reach into them."""
    for _, word, form, conversion in Formatter().parse(value):
        if word is not None and (word not in WORDS or form or conversion):
            raise ValueError(f"in braces there may be {', '.join(WORDS)}")
    return value


Template = Annotated[str, Field(min_length=1), AfterValidator(_template)]
Property = Annotated[str, Field(min_length=1)]


class NameProperties(Part):
    """Which properties hold the name of an area, or of the area it is part of."""

    th: Property
    en: Property


class Source(Part):
    """How to read the boundary file."""

    code: Property = Field(description="The property with the area's code")
    prefix: str = Field(default="", description="What stands before the digits of the code, such as TH")
    names: Mapping[Level, NameProperties] = Field(min_length=1, description="By digits of the code")
    layer: str | None = Field(default=None, description="Of a file with several; without it the first")
    crs: str | None = Field(default=None, description="For a file that does not say its own: EPSG:32647 ...")


class NameTemplates(Part):
    """A desk's name in two languages."""

    th: Template
    en: Template


class DeskRule(Part):
    """One desk for every area of a level."""

    role: Code
    agency: AgencyCode
    level: Level
    code: Template
    name: NameTemplates
    partner: Template | None = None


class Recipe(Pack):
    """A pack that still lacks the areas, and the desks that follow from them."""

    desks: tuple[DeskSpec, ...] = ()
    source: Source
    desk_rules: tuple[DeskRule, ...] = ()


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in the file. Raises PackError with everything that is wrong with it."""
    try:
        return Recipe.model_validate(parsed(read_bytes(path)))
    except ValidationError as error:
        raise PackError([f"{path.name}: {line}" for line in lines_of(error)]) from None
    except (OSError, ValueError) as error:
        raise PackError([f"{path.name}: {error}"]) from None


def filled(template: str, code: str, names: Names) -> str:
    """Return the template with what it names of the area `code`; a code of a lower level is empty."""
    levels = {"province": 2, "amphoe": 4, "tambon": 6}
    codes = {word: code[:digits] if len(code) >= digits else "" for word, digits in levels.items()}
    return template.format(code=code, th=names.th, en=names.en, **codes)
