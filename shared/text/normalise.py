"""One spelling for what people type: Thai text reaches us with invisible, split and doubled characters."""

import re
import unicodedata

_NOT_PLAIN = re.compile("[^ -~\u0e01-\u0e3a\u0e3f-\u0e4f]+")
"""What has to be looked at: all but printable ASCII, and Thai without its digits."""
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn"}
_SPLIT_SARA_AM = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32|([\u0e48-\u0e4b])\u0e4d\u0e32")
_DOUBLED_SARA_E = re.compile("\u0e40\u0e40")
_MONTHS = (
    "มกราคม|กุมภาพันธ์|มีนาคม|เมษายน|พฤษภาคม|มิถุนายน|กรกฎาคม|สิงหาคม|กันยายน|ตุลาคม|พฤศจิกายน|ธันวาคม"
    r"|ม\.ค\.|ก\.พ\.|มี\.ค\.|เม\.ย\.|พ\.ค\.|มิ\.ย\.|ก\.ค\.|ส\.ค\.|ก\.ย\.|ต\.ค\.|พ\.ย\.|ธ\.ค\."
)
_YEAR = r"(2[456]\d\d)(?!\d)"
_year = re.compile(_YEAR).search
_NAMED_YEAR = re.compile(rf"พ\.? ?ศ\.? ?{_YEAR}")
_DATE = re.compile(rf"((?<!\d)\d\d?([/.-])\d\d?\2|(?:{_MONTHS}) ?){_YEAR}")
ERA = 543
"""Years by which the Buddhist era is ahead of the common one."""


def normalise(text: str) -> str:
    """Return `text` in NFC, without invisible characters, each space single, digits ASCII, years CE.

    Applying it twice is applying it once. Years are changed only where they are marked as one: after พ.ศ., a
    month's name, or day and month.
    """
    text = _NOT_PLAIN.sub(lambda m: "".join(map(_plain, m[0])), text)
    text = unicodedata.normalize("NFC", text)
    text = _SPLIT_SARA_AM.sub(lambda m: f"{m[1] or m[2] or ''}\u0e33", text)
    text = _DOUBLED_SARA_E.sub("\u0e41", text)
    text = " ".join(text.split())
    if not _year(text):
        return text
    text = _NAMED_YEAR.sub(lambda m: f"ค.ศ. {common_year(m[1])}", text)
    return _DATE.sub(lambda m: f"{m[1]}{common_year(m[3])}", text)


def common_year(buddhist: str) -> int:
    """Return the common-era year of a Buddhist-era one."""
    return int(buddhist) - ERA


def _plain(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    return "" if category in _UNSEEN else character
