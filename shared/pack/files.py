"""Reads a pack's files, however large somebody made them, and words what does not fit."""

from pathlib import Path

from pydantic import ValidationError

MOST_BYTES = 256 << 20
"""Ten times what every sub-district of Thailand takes at 200 positions each."""


def read_bytes(path: Path) -> bytes:
    """Return what is in the file. Raises OSError, and ValueError when it is larger than a pack can be."""
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"the file has more than {MOST_BYTES >> 20} MiB")
    return content


def lines_of(error: ValidationError, most: int | None = None) -> list[str]:
    """Return `where: what` for the first `most` of what a validation found."""
    return [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()[:most]]
