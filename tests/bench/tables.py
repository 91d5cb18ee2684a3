"""Figures as people read them: medians, ratios to the baseline, a table in plain text."""

from collections.abc import Mapping, Sequence
from statistics import median

Row = Mapping[str, object]


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure over `runs`."""
    return {name: round(median(run[name] for run in runs), 4) for name in runs[0]}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of `values` lie."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def table(title: str, rows: Sequence[Row]) -> str:
    """Return `rows` (the same keys each) as an aligned table under `title`."""
    heads = list(rows[0])
    cells = [[str(row[head]) for head in heads] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = [_line(heads, widths), _line(["-" * width for width in widths], widths)]
    return "\n".join([f"\n{title}", *lines, *(_line(row, widths) for row in cells)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
