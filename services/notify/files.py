"""Agreements as people write them, one YAML file each; all that is wrong with them is said at once."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from services.notify.book import changes_after, effective
from services.notify.fields import GRANTABLE
from shared.contracts import AgreementPublished, AgreementWithdrawn
from shared.contracts.agreement import AgreementEvent, Terms
from shared.contracts.values import AgencyCode, Id, Note
from shared.settings import parse_yaml

NOTICE = timedelta(minutes=10)
"""How long before it takes effect a change must be published: longer than an incident waits for its review
and than a replica may hold what is out of date."""


class AgreementsError(ValueError):
    """Files that cannot be published. `problems` are lines of `file: field: reason`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(["nothing was published:", *problems]))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Terms(Terms):
    """The contract's terms; here an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid")


class _Withdrawn(_Part):
    effective_at: AwareDatetime
    reason: Note = ""


class _File(_Part):
    """The same as the event, but unknown keys are mistakes here."""

    id: Id
    agency: AgencyCode
    parties: tuple[AgencyCode, ...]
    terms: tuple[_Terms, ...]
    withdrawn: _Withdrawn | None = None

    def event(self) -> AgreementEvent:
        terms = tuple(Terms(**version.model_dump()) for version in self.terms)
        body: dict[str, object] = {"agreement_id": self.id, "agency": self.agency}
        body |= {"parties": self.parties, "terms": terms}
        if self.withdrawn is None:
            return AgreementPublished.model_validate(body)
        return AgreementWithdrawn.model_validate(body | self.withdrawn.model_dump())


def load_agreements(folder: Path) -> list[AgreementEvent]:
    """Return the agreement in every `*.yaml` of `folder`, by file name. Raises AgreementsError."""
    found: dict[str, AgreementEvent] = {}
    problems: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        agreement, wrong = _load(path)
        problems += [f"{path.name}: {problem}" for problem in wrong]
        if agreement is not None and agreement.agreement_id in found:
            problems.append(f"{path.name}: id: another file has the agreement {agreement.agreement_id}")
        elif agreement is not None:
            found[agreement.agreement_id] = agreement
    if not found and not problems:
        problems.append(f"{folder.name}: no file ends in .yaml")
    if problems:
        raise AgreementsError(problems)
    return list(found.values())


def _load(path: Path) -> tuple[AgreementEvent | None, list[str]]:
    try:
        agreement = _File.model_validate(parse_yaml(path.read_text(encoding="utf-8"))).event()
    except ValidationError as error:
        return None, [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return None, [f"file: cannot be read: {type(error).__name__}{_mark(error)}"]
    return agreement, list(contradictions(agreement))


def _mark(error: Exception) -> str:
    if mark := getattr(error, "problem_mark", None):
        return f" at line {mark.line + 1}"
    return f": {error}" if type(error) is yaml.YAMLError else ""


def contradictions(agreement: AgreementEvent) -> Iterator[str]:
    """Yield, as `field: reason`, what each field alone does not show."""
    if agreement.agency not in agreement.parties:
        yield f"parties: {agreement.agency} is to see something and has not signed"
    versions = [terms.version for terms in agreement.terms]
    if len(set(versions)) < len(versions):
        yield "terms: two have the same version"
    for n, terms in enumerate(agreement.terms):
        if terms.valid_until <= terms.valid_from:
            yield f"terms.{n}.valid_until: it ends before it begins"
        for name in sorted({*terms.fields} - GRANTABLE):
            yield f"terms.{n}.fields: {name} is no field; there are {', '.join(sorted(GRANTABLE))}"


def too_soon(old: AgreementEvent | None, new: AgreementEvent, now: datetime) -> str | None:
    """Return why `new` may not follow `old` at `now`, as `field: reason`; None when it may.

    What is in effect may not change within NOTICE, so that every replica knows before it happens. What was
    never there may begin at once. A withdrawal may end anything at once, but what it leaves in effect until
    its date is judged like everything else.
    """
    if old is None:
        return None
    if old.agency != new.agency:
        return "agency: it cannot change; withdraw the agreement and make another"
    until = now + NOTICE
    instants = {now, *_within(changes_after(old, now), until), *_within(changes_after(new, now), until)}
    if all(_in_order(effective(old, at), effective(new, at), new) for at in instants):
        return None
    return f"terms: what is in effect before {until.isoformat('T', 'seconds')} would change; begin later"


def _in_order(before: Terms | None, after: Terms | None, new: AgreementEvent) -> bool:
    return after == before or (after is None and isinstance(new, AgreementWithdrawn))


def _within(instants: Iterable[datetime], until: datetime) -> Iterator[datetime]:
    return (instant for instant in instants if instant < until)
