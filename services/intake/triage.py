"""Decides, by rules that can be read, what a report is about and how soon somebody must go."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.intake.rules import CATEGORIES, DANGER, NAMES, NEGATIONS, Rule
from shared.contracts.report import Reporter
from shared.contracts.values import UNKNOWN_CATEGORY, Priority

_STATED_BASE = {rule.code: rule.priority for rule in CATEGORIES}
_not_negated = re.compile("".join(f"(?<!{word})" for word in NEGATIONS), re.IGNORECASE).match
_latin = re.compile("[a-z]", re.IGNORECASE).search
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
    says = _says(text)
    found, why = _category(says, category)
    if priority is not None and reporter is not Reporter.CITIZEN:
        return Triage(found, priority, (why, f"priority:{reporter.value}"))
    levels = [(_STATED_BASE.get(found, DEFAULT), f"priority:{found}")]
    levels += [(rule.priority, f"priority:{rule.code}") for rule in DANGER if says(rule)]
    levels += [(priority, "priority:stated")] if priority is not None else []
    highest = min(level for level, _ in levels)
    return Triage(found, highest, (why, *(reason for level, reason in levels if level is highest)))


def _category(says: Callable[[Rule], bool], stated: str) -> tuple[str, str]:
    if stated != UNKNOWN_CATEGORY:
        return stated, "category:stated"
    rule = next(filter(says, CATEGORIES), None)
    return (rule.code, f"category:{rule.code}") if rule else (UNKNOWN_CATEGORY, "category:no_rule")


def _says(text: str) -> Callable[[Rule], bool]:
    """Return what tells whether a text has one of a rule's words; most texts have no Latin letter."""
    if _latin(text):
        return lambda rule: _stands(text, rule.thai) or _stands(text, rule.english)
    return lambda rule: _stands(text, rule.thai)


def _stands(text: str, words: re.Pattern[str]) -> bool:
    """Whether one of `words` is in a text without a negation right before it.

    Negations are looked for only where there is a word, not everywhere: that takes a fifth of the time.
    """
    found = words.search(text)
    while found and not _not_negated(text, found.start()):
        found = words.search(text, found.start() + 1)
    return found is not None
