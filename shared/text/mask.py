"""Takes phone numbers, citizen ids and e-mail addresses out of a text that many will read."""

import re
from collections.abc import Iterable

MASK = "***"
_GAP = r"[\s.,()/_\u2010-\u2015\u2212-]{0,3}"
# Mobile 06, 08, 09: ten digits. Fixed lines 02 to 07: nine. Abroad +66 or 0066 stands for the 0.
_PHONE = re.compile(
    rf"(?<!\d)(?:(?:\+|00)?{_GAP}66{_GAP}(?:0{_GAP})?|0{_GAP})"
    rf"(?:[689](?:{_GAP}\d){{8}}|[2-57](?:{_GAP}\d){{7}})(?!\d)"
)
_THIRTEEN = re.compile(rf"(?<!\d)(?=(\d(?:{_GAP}\d){{12}})(?!\d))")

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")


def mask(text: str) -> str:
    """Return a normalised text with e-mail addresses, Thai phone numbers, valid citizen ids as `MASK`.

    Digits may be apart by up to three spaces, dashes, dots or the like. Hotlines of three or four digits and
    thirteen digits with a wrong check digit stay.
    """
    text = _EMAIL.sub(MASK, text)
    spans = [found.span(1) for found in _THIRTEEN.finditer(text) if is_citizen_id(found[1])]
    return _PHONE.sub(MASK, _without(text, spans))


def is_citizen_id(text: str) -> bool:
    """Whether the 13 digits in `text` are a Thai citizen id: first digit 1 to 8, right check digit."""
    digits = [int(character) for character in text if character.isdigit()]
    return len(digits) == 13 and digits[0] not in (0, 9) and digits[12] == check_digit(digits[:12])


def check_digit(digits: Iterable[int]) -> int:
    """Return the thirteenth digit of a citizen id: weights 13 down to 2, modulo 11."""
    total = sum(weight * digit for weight, digit in zip(range(13, 1, -1), digits, strict=True))
    return (11 - total % 11) % 10


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        if end > at:
            parts += [text[at : max(start, at)], MASK]
            at = end
    return "".join([*parts, text[at:]])
