"""People's spellings become one, and numbers that name a person disappear, however they are typed."""

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.text import MASK, mask, normalise
from shared.text.mask import check_digit, is_citizen_id
from shared.text.normalise import _NOT_PLAIN, _plain

THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
WORDS = st.text(alphabet="กขคงจฉชซฌเแำา้่๊ ร้านหน้าตลาด", max_size=20)
GAPS = st.lists(
    st.sampled_from(["", "", "", " ", "-", ".", "\u200b", " - ", "\u2013"]), min_size=13, max_size=13
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("น\u0e4d\u0e49\u0e32ท่วม", "น้ำท่วม"),
        ("น\u0e49\u0e4d\u0e32ท่วม", "น้ำท่วม"),
        ("ท\u0e4d\u0e32ร้าย", "ทำร้าย"),
        ("เเมวติดบนต้นไม้", "แมวติดบนต้นไม้"),
        ("ไฟ\u200bไหม้\ufeff  ตลาด\n\tสด", "ไฟไหม้ ตลาด สด"),
        ("ซอย ๑๒ บ้าน๓", "ซอย 12 บ้าน3"),
        ("cafe\u0301", "café"),
        ("เมื่อ 23/11/2569", "เมื่อ 23/11/2026"),
        ("๒๓ พ.ย. ๒๕๖๙ เวลา ๒๑.๐๐", "23 พ.ย. 2026 เวลา 21.00"),
        ("23 พฤศจิกายน 2569", "23 พฤศจิกายน 2026"),
        ("พ.ศ.2569", "ค.ศ. 2026"),
        ("ทะเบียน 2569 บ้านเลขที่ 2500/1", "ทะเบียน 2569 บ้านเลขที่ 2500/1"),
        ("", ""),
    ],
)
def test_spellings_become_one(typed: str, meant: str) -> None:
    assert normalise(typed) == meant


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("เ\u0e4d\u0e32\u0e48\u200b ๐๒๕/.พศ"))))
@example("เเเเ")
@example("พ.ศ. พ.ศ. 2569")
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert len(once) <= 3 * len(text)


def test_no_character_that_changes_is_passed_over() -> None:
    every = map(chr, range(sys.maxunicode + 1))
    passed_over = [character for character in every if not _NOT_PLAIN.match(character)]
    assert len(passed_over) > 150
    assert list(map(_plain, passed_over)) == passed_over


def spread(number: str, gaps: list[str], *, thai: bool) -> str:
    """A number as people type it."""
    typed = "".join(digit + gap for digit, gap in zip(number, gaps, strict=False)).strip(" -.\u200b\u2013")
    return typed.translate(THAI_DIGITS) if thai else typed


def citizen_id(first: int, rest: list[int]) -> str:
    """A valid citizen id."""
    digits = [first, *rest]
    return "".join(map(str, [*digits, check_digit(digits)]))


CITIZEN_IDS = st.builds(citizen_id, st.integers(1, 8), st.lists(st.integers(0, 9), min_size=11, max_size=11))
MOBILES = st.from_regex(r"0[689][0-9]{8}", fullmatch=True)
FIXED = st.from_regex(r"0[2-57][0-9]{7}", fullmatch=True)


@given(CITIZEN_IDS, WORDS, WORDS, GAPS, st.booleans())
def test_a_valid_citizen_id_is_masked(
    number: str, before: str, after: str, gaps: list[str], thai: bool
) -> None:
    masked = mask(normalise(f"{before}{spread(number, gaps, thai=thai)}{after}"))
    assert number not in "".join(filter(str.isdigit, masked))
    assert MASK in masked


@given(st.one_of(MOBILES, FIXED), WORDS, WORDS, GAPS, st.booleans())
def test_a_phone_number_is_masked(number: str, before: str, after: str, gaps: list[str], thai: bool) -> None:
    masked = mask(normalise(f"{before}{spread(number, gaps, thai=thai)}{after}"))
    assert not any(map(str.isdigit, masked))


@pytest.mark.parametrize(
    "typed",
    [
        "โทร 081-234-5678",
        "โทร (081) 234 5678",
        "+66 81 234 5678",
        "+66(0)81-234-5678",
        "0066812345678",
        "66812345678",
        "056-711-234",
        "02 123 4567",
        "๐๘๑๒๓๔๕๖๗๘",
        "０８１２３４５６７８",
        "1-1037-00000-00-3",
        "1103700000003",
    ],
)
def test_numbers_that_name_a_person_are_masked(typed: str) -> None:
    assert not any(character.isdigit() for character in mask(normalise(typed)))


def test_two_numbers_side_by_side_are_both_masked() -> None:
    assert mask("0812345678 0898765432/1103700000003 0567112345") == "*** ***/*** 0567112345"


@pytest.mark.parametrize(
    "text",
    [
        "โทร 1669 หรือ 191",
        "บ้านเลขที่ 99/12 หมู่ 3 ซอย 7",
        "เกิดเหตุ 23/11/2026 เวลา 21.00",
        "รถทะเบียน กข 1234",
        "1103700000005",
        "เงินหาย 250000 บาท",
    ],
)
def test_numbers_that_help_stay(text: str) -> None:
    assert mask(text) == text


def test_the_check_digit_is_that_of_the_registry() -> None:
    assert is_citizen_id("1-1037-00000-00-3")
    assert not is_citizen_id("1103700000005")
    assert not is_citizen_id("0000000000000")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ติดต่อsomchai.j+67@mail.example.co.th ด่วน", "ติดต่อ*** ด่วน"),
        ("line @ตลาดสด หรือ a@b", "line @ตลาดสด หรือ a@b"),
        ("ส่งถึง 0812345678@example.com", "ส่งถึง ***"),
    ],
)
def test_an_email_address_disappears(typed: str, meant: str) -> None:
    assert mask(normalise(typed)) == meant
