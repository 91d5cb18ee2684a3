"""What a build did to the boundaries it was given: every repair, and every reason not to go on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Remark:
    """What was done to, or is wrong with, the features `number` (counted from 1) of an area."""

    number: tuple[int, ...]
    code: str | None
    reason: str
    km2: float = 0.0
    """How much larger the area is for it."""

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code else ""
        change = f" ({self.km2:+.6f} km²)" if self.km2 else ""
        return f"feature {', '.join(map(str, self.number))}{code}: {self.reason}{change}"


@dataclass
class Report:
    """All remarks of one build, in the order of the file."""

    features: int = 0
    areas: int = 0
    crs: str = ""
    remarks: list[str] = field(default_factory=list)
    """What the library that read the file had to say."""
    repairs: list[Remark] = field(default_factory=list)
    rejections: list[Remark] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield the report as people read it."""
        yield f"{self.features} features in {self.crs}, {self.areas} areas"
        yield from (f"remark: {remark}" for remark in self.remarks)
        yield from (f"repaired: {repair}" for repair in self.repairs)
        yield from (f"rejected: {rejection}" for rejection in self.rejections)

    def as_json(self) -> dict[str, Any]:
        """Return the report as programs read it."""
        return asdict(self)
