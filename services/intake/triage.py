"""Decides, by rules that can be read, what a report is about and how soon somebody must go."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from services.intake.rules import CATEGORIES, DANGER, NAMES, NEGATIONS, Rule
from shared.contracts.report import Reporter
from shared.contracts.values import UNKNOWN_CATEGORY, Priority

_STATED_BASE = {rule.code: rule.priority for rule in CATEGORIES}
_NOT = "".join(f"(?<!{word})" for word in NEGATIONS)
DEFAULT = Priority.P3


@dataclass(frozen=True, slots=True)
class Triage:
    """What was decided, and why: each reason is `<what>:<rule or source>`, without any of the text."""

    category: str
    priority: Priority
    reasons: tuple[str, ...]

    @property
    def urgent(self) -> bool:
        """Whether the report takes the urgent lane."""
        return self.priority is Priority.P1


def triage(
    text: str,
    *,
    category: str = UNKNOWN_CATEGORY,
    priority: Priority | None = None,
    reporter: Reporter = Reporter.CITIZEN,
) -> Triage:
    """Decide from a normalised `text` and from what the reporter stated.

    A stated category stands. An officer's or a sensor's priority stands too; a citizen's may raise what the
    rules found, never lower it.
    """
    for name in NAMES:
        text = text.replace(name, " ")
    found, why = _category(text, category)
    if priority is not None and reporter is not Reporter.CITIZEN:
        return Triage(found, priority, (why, f"priority:{reporter.value}"))
    levels = [(_STATED_BASE.get(found, DEFAULT), f"priority:{found}")]
    levels += [(rule.priority, f"priority:{rule.code}") for rule in DANGER if _says(text, rule)]
    levels += [(priority, "priority:stated")] if priority is not None else []
    highest = min(level for level, _ in levels)
    return Triage(found, highest, (why, *(reason for level, reason in levels if level is highest)))


def _category(text: str, stated: str) -> tuple[str, str]:
    if stated != UNKNOWN_CATEGORY:
        return stated, "category:stated"
    rule = _first(text, CATEGORIES)
    return (rule.code, f"category:{rule.code}") if rule else (UNKNOWN_CATEGORY, "category:no_rule")


def _first(text: str, rules: Iterable[Rule]) -> Rule | None:
    return next((rule for rule in rules if _says(text, rule)), None)


def _says(text: str, rule: Rule) -> bool:
    return _pattern(rule).search(text) is not None


@cache
def _pattern(rule: Rule) -> re.Pattern[str]:
    """Thai has no spaces between words, so a word counts wherever it is, unless a negation is before it.

    English words count only whole.
    """
    words = (rf"\b{re.escape(w)}\b" if w.isascii() else re.escape(w) for w in rule.words)
    return re.compile(f"{_NOT}(?:{'|'.join(words)})", re.IGNORECASE)
