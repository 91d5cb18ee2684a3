"""What a report is about and how soon somebody must go, with the reasons."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules import CATEGORIES, DANGER, NEGATIONS, Rule
from services.intake.triage import Triage, _says, triage
from shared.contracts.report import Reporter
from shared.contracts.values import Priority

P1, P2, P3, P4 = Priority


@pytest.mark.parametrize(
    ("text", "category", "priority"),
    [
        ("ไฟไหม้บ้านใกล้ตลาดสด ควันดำเต็มไปหมด", "fire", P1),
        ("รถชนกันหน้าตลาด มีคนเจ็บสองคน", "road_accident", P2),
        ("รถชนกัน ไม่มีคนเจ็บ", "road_accident", P2),
        ("รถคว่ำ คนขับหมดสติ ติดในรถ", "road_accident", P1),
        ("วัยรุ่นตีกันหน้าร้านเหล้า มีคนถูกแทง", "brawl", P1),
        ("วัยรุ่นตีกันหน้าร้านเหล้า หัวแตก", "brawl", P2),
        ("แม่เจ็บหน้าอก หายใจไม่ออก", "medical_emergency", P1),
        ("น้ำท่วมถนนหน้าโรงเรียน", "flood", P3),
        ("น้ำท่วมสูง มีคนติดบนหลังคา", "flood", P1),
        ("โดนขโมยมอเตอร์ไซค์", "theft", P3),
        ("เด็กหายในงานวัด", "missing_person", P2),
        ("ไฟทางดับทั้งซอย", "street_light", P4),
        ("เปิดเพลงเสียงดังมาก", "noise", P4),
        ("หมาจรจัดไล่กัดเด็ก", "stray_animal", P4),
        ("กระบะชนมอเตอร์ไซค์หน้าตลาด", "road_accident", P2),
        ("ไฟทางบนสะพานข้ามแม่น้ำป่าสักดับ", "street_light", P4),
        ("แม่น้ำป่าสักล้นตลิ่ง", "flood", P3),
        ("there is a fire at the market", "fire", P1),
        ("firefly festival", "unknown", P3),
        ("", "unknown", P3),
    ],
)
def test_words_decide_where_nothing_is_stated(text: str, category: str, priority: Priority) -> None:
    found = triage(text)
    assert (found.category, found.priority) == (category, priority)
    assert found.urgent is (priority is P1)


def test_a_negated_word_does_not_count() -> None:
    assert triage("ไม่มีอาวุธ", category="brawl").priority is P2
    assert triage("มีอาวุธ", category="brawl").priority is P1


def test_the_reasons_name_rules_and_never_the_text() -> None:
    found = triage("ตีกัน มีปืน หมดสติ")
    assert found == Triage("brawl", P1, ("category:brawl", "priority:life_threatening", "priority:weapon"))


def test_a_stated_category_stands() -> None:
    assert triage("ไฟไหม้", category="noise").category == "noise"
    assert triage("ไฟไหม้", category="unknown").category == "fire"


def test_a_citizen_may_raise_and_never_lower_what_the_rules_found() -> None:
    assert triage("หมดสติ", priority=P4).priority is P1
    assert triage("ไฟทางดับ", priority=P1).priority is P1


def test_an_officers_priority_stands() -> None:
    found = triage("มีปืน", priority=P3, reporter=Reporter.OFFICER)
    assert (found.priority, found.reasons[-1]) == (P3, "priority:officer")
    assert triage("มีปืน", reporter=Reporter.OFFICER).priority is P1


@given(st.text(), st.sampled_from(list(Priority)) | st.none(), st.sampled_from(list(Reporter)))
def test_every_text_gets_a_decision_with_a_reason(text: str, stated: Priority | None, who: Reporter) -> None:
    found = triage(text, priority=stated, reporter=who)
    assert found.reasons
    assert found.category in {"unknown", *(rule.code for rule in CATEGORIES)}


def test_every_word_of_every_rule_is_found() -> None:
    for rule in CATEGORIES:
        for word in rule.words:
            assert f"category:{triage(word).category}" in triage(word).reasons
            assert triage(word).category != "unknown"
    for rule in DANGER:
        for word in rule.words:
            assert triage(word).priority <= rule.priority


RULES = (*DANGER, *CATEGORIES)
NOT = "".join(f"(?<!{word})" for word in NEGATIONS)


def plainly(rule: Rule) -> re.Pattern[str]:
    """A rule in one pattern: any word that no negation is before, an English one whole."""
    words = (rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in rule.words)
    return re.compile(f"{NOT}(?:{'|'.join(words)})", re.IGNORECASE)


PLAINLY = {rule: plainly(rule) for rule in RULES}
PIECES = st.sampled_from(
    [
        *NEGATIONS,
        *(word for rule in RULES for word in rule.words),
        " ",
        "x",
        "S",
        "\u017f",
        "\u212a",
        "ไ",
        "น",
    ]
)
TEXTS = st.lists(st.tuples(PIECES, st.integers(0, 3), st.booleans())).map(
    lambda pieces: "".join((word.upper() if loud else word)[cut:] for word, cut, loud in pieces)
)


@given(TEXTS | st.text())
def test_a_word_is_found_as_a_plain_search_would_find_it(text: str) -> None:
    says = _says(text)
    assert [says(rule) for rule in RULES] == [bool(PLAINLY[rule].search(text)) for rule in RULES]
