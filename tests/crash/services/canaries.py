"""Values that nobody may read in the open: planted with every report, looked for in everything."""

import re
import zlib
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from deploy.local.demo.judge import forms
from deploy.local.demo.reporters import citizen_id

MARK, PHONE, CITIZEN = "zqcanary", "089771", "1679980"
"""How the canaries of each family begin: long enough to be no accident in base64."""
PHONES = 10_000
LANDMARK = "zqlandmark"
"""Begins what an agreement may grant, so that a search that finds nothing is seen to work."""

_PLAIN = re.compile(
    rf"{MARK}\d{{6}}|(?<![0-9A-Za-z])(?:{PHONE}\d{{4}}|{CITIZEN}\d{{6}})(?![0-9A-Za-z])".encode()
)
_ENCODED = re.compile(
    b"|".join(re.escape(form) for word in (MARK, PHONE, CITIZEN) for form in {*forms(word)} - {word.encode()})
)


_BASE64 = re.compile(rb"[A-Za-z0-9+/]+")


def _readings(content: bytes) -> Iterator[bytes]:
    """Yield `content` and, where it may hold a canary in base64, what that stands for at each alignment.

    A family's beginning alone proves nothing: six digits may be a fraction of a second.
    """
    yield content
    for run in _BASE64.finditer(content):
        if _ENCODED.search(run[0]):
            for skip in range(4):
                rest = run[0][skip:]
                yield b64decode(rest + b"A" * (-len(rest) % 4))


@dataclass(frozen=True, slots=True)
class Planted:
    """The personal data of one report."""

    mark: str
    phone: str
    citizen: str


@dataclass
class Canaries:
    """What was planted, and where some of it was found (`found`: place → how often)."""

    planted: set[bytes] = field(default_factory=set)
    found: Counter[str] = field(default_factory=Counter)

    def plant(self, serial: int) -> Planted:
        """Return the personal data of the report `serial`, below 100,000."""
        made = Planted(f"{MARK}{serial:06d}", f"{PHONE}{serial % PHONES:04d}", citizen_id(8_000_000 + serial))
        self.planted |= {made.mark.encode(), made.phone.encode(), made.citizen.encode()}
        return made

    def look(self, place: str, contents: Iterable[bytes]) -> None:
        """Search `contents`, plain and for base64 at each alignment."""
        for content in contents:
            if any(hit in self.planted for text in _readings(content) for hit in _PLAIN.findall(text)):
                self.found[place] += 1

    def look_inside(self, place: str, content: bytes) -> None:
        """Search what a store keeps, also as it was before it was compressed."""
        self.look(place, [content])
        with suppress(zlib.error):
            self.look(place, [zlib.decompress(content)])
