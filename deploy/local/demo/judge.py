"""The judge: counts what happened from raw evidence, and says everything that is not as it must be."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from deploy.local.demo.day import Partner, Scene
from deploy.local.demo.evidence import Evidence

BLURRED = "point_blurred"
BLUR_DECIMALS = 2


@dataclass(frozen=True)
class Verdict:
    """The summary, and what is wrong; nothing is wrong where `problems` is empty."""

    summary: dict[str, Any]
    problems: list[str]

    def lines(self) -> Iterator[str]:
        """Yield what people read: each figure, then everything that is wrong."""
        for name, figure in self.summary.items():
            each = figure.items() if isinstance(figure, dict) else [("", figure)]
            yield f"{name.replace('_', ' '):<16} " + ", ".join(f"{who} {n}".strip() for who, n in each)
        yield from (f"WRONG  {problem}" for problem in self.problems)

    def json(self) -> str:
        """The summary on one line."""
        return json.dumps(self.summary | {"ok": not self.problems}, ensure_ascii=False)


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on a day."""
    summary = count(evidence)
    leaked = list(leaks(evidence))
    checks = (_lost, _scenes, _refused, _gaps, _hook)
    found = [problem for check in checks for problem in check(evidence)]
    problems = [*evidence.troubles, *_off(evidence, summary), *leaked, *found]
    return Verdict(summary | {"leaked": len(leaked)}, problems)


def count(evidence: Evidence) -> dict[str, Any]:
    """Return the figures of the day; times are milliseconds from sending to the incident on the stream."""
    tally, agencies = evidence.tally, [partner.agency for partner in evidence.day.partners]
    p50, p99 = tally.times({sent.report_id: sent.at for sent in evidence.accepted})
    return {
        "reports_sent": evidence.reports_sent,
        "accepted": len(evidence.accepted),
        "rejected": len(evidence.rejected),
        "refused": len(evidence.refused),
        "repeated": evidence.repeated,
        "incidents": tally.kinds["incident.opened"],
        "linked": tally.kinds["incident.linked"],
        "assigned": len(tally.assigned),
        "escalated": tally.kinds["task.escalated"],
        "agency_events": {code: len(evidence.shared(code)) for code in agencies},
        "withheld": {code: tally.withheld[code] for code in agencies},
        "webhook_events": len(evidence.hooked),
        "dead_letters": tally.dead_letters,
        "lost": len(missing(evidence)),
        "p50_ms": round(p50),
        "p99_ms": round(p99),
    }


def missing(evidence: Evidence) -> set[str]:
    """Return the reports that were answered with 202 and are in no incident."""
    return evidence.tally.missing({sent.report_id: sent.at for sent in evidence.accepted})


def _off(evidence: Evidence, summary: dict[str, Any]) -> Iterator[str]:
    """Yield where the figures are not those counted by hand."""
    for name, wanted in evidence.day.expected.model_dump().items():
        each = wanted if isinstance(wanted, dict) else {"": wanted}
        found = summary[name] if isinstance(wanted, dict) else {"": summary[name]}
        for who, figure in each.items():
            least, most = figure if isinstance(figure, tuple | list) else (figure, figure)
            if not least <= found[who] <= most:
                yield f"{name} {who}: {found[who]} instead of {figure}"


def _lost(evidence: Evidence) -> Iterator[str]:
    yield from (f"lost: report {report_id}" for report_id in sorted(missing(evidence)))


def _scenes(evidence: Evidence) -> Iterator[str]:
    """Yield what became something else than the script says."""
    for scene in evidence.day.scenes:
        reports = {sent.report_id for sent in evidence.accepted if sent.scene == scene.id}
        held = [data for data in evidence.views.values() if reports & _reports(data)]
        if len(held) != 1 or _reports(held[0]) != reports:
            yield f"{scene.id}: {len(reports)} reports became {len(held)} incidents, or hold strangers"
        elif wrong := _differs(scene, held[0]["view"]):
            yield f"{scene.id}: {wrong}"


def _reports(data: dict[str, Any]) -> set[str]:
    return {link["report_id"] for link in data["view"]["reports"] if not link["suggested"]}


def _differs(scene: Scene, view: dict[str, Any]) -> str | None:
    wanted = {
        "category": scene.category,
        "priority": scene.priority,
        "desk": scene.desk,
        "lifecycle": "closed",
    }
    wrong = [
        f"{name} {view[name]} instead of {value}" for name, value in wanted.items() if view[name] != value
    ]
    return ", ".join(wrong) or None


def _refused(evidence: Evidence) -> Iterator[str]:
    for why, wanted, status in evidence.rejected:
        if status != wanted:
            yield f"{why}: answered {status} instead of {wanted}"


def _gaps(evidence: Evidence) -> Iterator[str]:
    """Yield every incident whose numbers are not 1, 2, 3 ... in order, on any stream."""
    streams = {"incidents": [data for _, data in evidence.incidents]}
    streams |= {code: [data for _, data in evidence.shared(code)] for code in evidence.partners}
    for stream, bodies in streams.items():
        numbers: dict[str, list[int]] = {}
        for data in bodies:
            numbers.setdefault(data["incident_id"], []).append(data["seq"])
        for incident_id, found in numbers.items():
            if found != list(range(1, len(found) + 1)):
                yield f"{stream}: incident {incident_id} is numbered {found}"


def leaks(evidence: Evidence) -> Iterator[str]:
    """Yield what somebody can read who must not."""
    by_place = readable(evidence)
    for sent in evidence.accepted:
        for place, content in by_place.items():
            if any(is_in(secret, content) for secret in sent.secrets):
                yield f"leaked: personal data of report {sent.report_id} in {place}"
    yield from _overshared(evidence)


def readable(evidence: Evidence) -> dict[str, bytes]:
    """Return all that was written, by where it can be read: topics, webhooks, files, traces."""
    places = [(f"topic {r.topic}", r.value + str(r.headers).encode() + r.key) for r in evidence.records]
    places += [("a webhook", body) for body in evidence.bodies]
    places += [(f"file {name}", content) for name, content in evidence.files.items()]
    places += [("the traces", body) for body in evidence.traces]
    by_place: dict[str, list[bytes]] = {}
    for place, content in places:
        by_place.setdefault(place, []).append(content)
    return {place: b"\n".join(contents) for place, contents in by_place.items()}


def is_in(secret: str, content: bytes) -> bool:
    """Whether `secret` can be read in `content`, however it is written there."""
    return any(form in content for form in forms(secret))


@cache
def forms(secret: str) -> tuple[bytes, ...]:
    """Return how `secret` can be written: plain, in JSON, within base64 at each of the three alignments."""
    raw = secret.encode()
    shifted = (b64encode(bytes(skip) + raw)[-(-skip * 8 // 6) :].rstrip(b"=")[:-1] for skip in range(3))
    return (raw, json.dumps(secret)[1:-1].encode(), *shifted)


def _overshared(evidence: Evidence) -> Iterator[str]:
    """Yield what an agency was told though its agreement does not say so."""
    for partner in evidence.day.partners:
        for record, data in evidence.shared(partner.agency):
            told = record.headers.get("ce_time", "")
            for wrong in _beyond(evidence, partner, data, datetime.fromisoformat(told)):
                yield f"leaked: {partner.agency} was told of {data['incident_id']}: {wrong}"


def _beyond(evidence: Evidence, partner: Partner, data: dict[str, Any], at: datetime) -> Iterator[str]:
    source = evidence.views[data["incident_id"]]
    view, place = data["view"] or {}, source["view"]["place"]
    codes = [code for code in (place["province"], place["amphoe"], place["tambon"]) if code]
    if source["view"]["category"] not in partner.categories or not {*codes} & {*partner.areas}:
        yield "it is out of scope"
    if source["status"] != "actual":
        yield "it is no real incident"
    if view and partner.seconds and at >= evidence.expires:
        yield "the agreement had expired"
    allowed = {*partner.fields, *(["point"] if BLURRED in partner.fields else [])}
    if extra := [name for name, value in view.items() if value is not None and name not in allowed]:
        yield f"{', '.join(extra)} is not granted"
    point = view.get("point")
    if point and "point" not in partner.fields and any(round(v, BLUR_DECIMALS) != v for v in point.values()):
        yield "the point is exact"


def _hook(evidence: Evidence) -> Iterator[str]:
    told = [record.id for record, _ in evidence.shared(evidence.day.hooked)]
    if [id_ for id_ in evidence.hooked if id_ in told] != told:
        yield f"the webhook took {len(evidence.hooked)} events, not the {len(told)} of the topic in order"
