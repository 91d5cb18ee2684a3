"""Which pack this is: one digest over all that it consists of."""

from hashlib import sha256
from pathlib import Path

from shared.pack.load import FILE

BOUNDARIES = "boundaries.geojson"
ZONES = "zones.geojson"
SHORT = 12


def digest_of(folder: Path) -> str:
    """Return a digest of the pack's three files, in hexadecimal; a missing file counts as such."""
    whole = sha256()
    for name in (FILE, BOUNDARIES, ZONES):
        try:
            content = (folder / name).read_bytes()
        except OSError:
            whole.update(b"-")
        else:
            whole.update(b"%d:" % len(content) + sha256(content).digest())
    return whole.hexdigest()
