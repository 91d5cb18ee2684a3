"""Which pack this is: one digest over all that it consists of."""

from hashlib import sha256
from pathlib import Path

from shared.pack.load import FILE

BOUNDARIES = "boundaries.geojson"
ZONES = "zones.geojson"


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


def signature_of(folder: Path) -> tuple[object, ...]:
    """Return what changes with the files, short of reading them; links are followed."""
    return tuple(_stat(folder / name) for name in (FILE, BOUNDARIES, ZONES))


def _stat(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
