"""What a reporter is told follows `incidents`, and who they are can be erased, before and after a link."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.outbox import LANES
from services.intake.status import ORDER, ReportStatus
from shared.bus.testing import event_of
from shared.contracts import (
    Event,
    IncidentClosed,
    IncidentHandedOver,
    IncidentLinked,
    IncidentOpened,
    IncidentUnlinked,
    IncidentUpdated,
    ReportErased,
    decode,
)
from shared.contracts.incident import IncidentEvent
from shared.contracts.testing import NOON, an_incident
from shared.contracts.view import Lifecycle, ReportLink
from shared.sealing import KeyErasedError
from tests.intake.replica import Replica

INCIDENT = "inc-1"


def happened(
    model: type[IncidentEvent],
    *reports: str,
    lifecycle: str = "received",
    suggested: bool = False,
    desk: str = "670101",
    **more: Any,
) -> Event[IncidentEvent]:
    """An event of the incident to which these reports are linked."""
    links = tuple(ReportLink(report_id=id_, linked_at=NOON, suggested=suggested) for id_ in reports)
    view = an_incident().view.model_copy(
        update={"reports": links, "lifecycle": Lifecycle(lifecycle), "desk": desk}
    )
    body = {"incident_id": INCIDENT, "seq": 1, "view": view} | more
    return event_of(model.model_validate(body))


def handed_over(report: str) -> Event[IncidentEvent]:
    """The incident goes to the desk next door."""
    return happened(IncidentHandedOver, report, desk="670102", from_desk="670101")


async def accepted(replica: Replica) -> tuple[str, str]:
    """The tracking code and the id of a new report."""
    told = (await replica.post()).json()
    return told["tracking_code"], told["report_id"]


async def status(replica: Replica, code: str) -> str:
    """What its reporter is told."""
    answer = await replica.get(code)
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "personal_data_erased"}
    return str(answer.json()["status"])


@pytest.mark.parametrize(
    ("lifecycle", "told"),
    [
        ("received", "linked"),
        ("assigned", "linked"),
        ("acknowledged", "linked"),
        ("en_route", "unit_on_the_way"),
        ("on_scene", "unit_on_scene"),
        ("resolved", "resolved"),
        ("closed", "closed"),
    ],
)
async def test_the_reporter_is_told_where_the_incident_stands(
    replica: Replica, lifecycle: str, told: str
) -> None:
    code, report = await accepted(replica)
    assert await status(replica, code) == "received"
    await replica.reading.follow([happened(IncidentOpened, report)])
    await replica.reading.follow([happened(IncidentUpdated, report, lifecycle=lifecycle)])
    assert await status(replica, code) == told
    assert told in {s.value for s in ORDER} == {s.value for s in ReportStatus}


async def test_a_second_report_is_linked_and_a_link_is_undone(replica: Replica) -> None:
    (one, first), (two, second) = await accepted(replica), await accepted(replica)
    linked = happened(IncidentLinked, first, second, report_id=second, lifecycle="en_route")
    await replica.reading.follow([happened(IncidentOpened, first), linked])
    assert [await status(replica, code) for code in (one, two)] == ["unit_on_the_way"] * 2
    await replica.reading.follow([happened(IncidentUnlinked, first, report_id=second, lifecycle="en_route")])
    assert [await status(replica, code) for code in (one, two)] == ["unit_on_the_way", "received"]


async def test_a_reporter_whose_report_was_merged_is_told_where_the_other_incident_stands(
    replica: Replica,
) -> None:
    code, report = await accepted(replica)
    other: Any = {"incident_id": "inc-2", "lifecycle": "en_route"}
    await replica.reading.follow([
        happened(IncidentOpened, report),
        happened(IncidentUnlinked, report_id=report),
        happened(IncidentClosed, lifecycle="closed", outcome="duplicate"),
        happened(IncidentLinked, report, report_id=report, **other),
    ])  # fmt: skip
    assert await status(replica, code) == "unit_on_the_way"


async def test_a_suggested_link_is_none_until_it_is_confirmed(replica: Replica) -> None:
    code, report = await accepted(replica)
    await replica.reading.follow([happened(IncidentLinked, report, report_id=report, suggested=True)])
    assert await status(replica, code) == "received"
    await replica.reading.follow([happened(IncidentUpdated, report, changed=("reports",))])
    assert await status(replica, code) == "linked"


async def test_following_the_same_events_again_changes_nothing(replica: Replica) -> None:
    code, report = await accepted(replica)
    events = [
        happened(IncidentOpened, report),
        happened(IncidentUnlinked, report_id=report),
        happened(IncidentLinked, report, report_id=report),
        happened(IncidentClosed, report, lifecycle="closed", outcome="resolved"),
    ]
    for _ in range(2):
        await replica.reading.follow(events)
        assert await status(replica, code) == "closed"
    for event in events:
        await replica.reading.follow([event])
    assert await status(replica, code) == "closed"


async def test_an_erased_report_cannot_be_read_and_its_desk_is_told(replica: Replica) -> None:
    code, report = await accepted(replica)
    [waiting] = await replica.waiting()
    sealed = decode(waiting.record().value, waiting.record().headers).data.sealed
    await replica.reading.follow([happened(IncidentOpened, report)])
    assert (await replica.erase(code)).status_code == 204
    with pytest.raises(KeyErasedError):
        await replica.keyring.unseal(sealed)
    [told, _] = await replica.waiting()
    event = decode(told.record().value, told.record().headers)
    assert (told.topic, told.key, type(event.data)) == ("desks.commands", "670101", ReportErased)
    assert (event.data.report_id, event.data.incident_id) == (report, INCIDENT)
    assert (await replica.get(code)).json() == {"status": "linked", "personal_data_erased": True}


async def test_erasing_again_says_nothing_new(replica: Replica) -> None:
    code, report = await accepted(replica)
    await replica.reading.follow([happened(IncidentOpened, report)])
    await replica.erase(code)
    for lane in LANES:
        await replica.outbox.forget(place for place, _ in await replica.outbox.page(replica.outbox.me, lane))
    assert (await replica.erase(code)).status_code == 204
    await replica.reading.follow([happened(IncidentOpened, report)])
    assert await replica.waiting() == []


async def test_an_erasure_that_was_told_and_not_noted_is_told_again_byte_for_byte(replica: Replica) -> None:
    code, report = await accepted(replica)
    await replica.reading.follow([happened(IncidentOpened, report)])
    await replica.erase(code)
    [first, _] = await replica.waiting()
    replica.clock.advance(timedelta(days=1).total_seconds())  # type: ignore[attr-defined]
    await replica.store.documents("erasures").delete([f"{report}/{INCIDENT}/told"])
    await replica.outbox.forget([f"{replica.outbox.me}/0/{first.id}"])
    await replica.outbox.tidy()
    await replica.erase(code)
    [again, _] = await replica.waiting()
    assert again.record() == first.record()


async def test_an_incident_that_moves_is_not_told_of_an_erasure_again(replica: Replica) -> None:
    code, report = await accepted(replica)
    await replica.reading.follow([happened(IncidentOpened, report)])
    await replica.erase(code)
    before = await replica.waiting()
    await replica.reading.follow([handed_over(report), happened(IncidentUpdated, report, desk="670102")])
    await replica.reading.follow([happened(IncidentLinked, report, report_id=report, desk="670102")])
    await replica.erase(code)
    assert await replica.waiting() == before


@pytest.mark.parametrize(("arrived", "desk"), [(False, "670101"), (True, "670102")])
async def test_while_an_incident_moves_its_old_desk_is_told_of_an_erasure(
    replica: Replica, arrived: bool, desk: str
) -> None:
    code, report = await accepted(replica)
    await replica.reading.follow([happened(IncidentOpened, report), handed_over(report)])
    if arrived:
        await replica.reading.follow([happened(IncidentUpdated, report, desk="670102")])
    await replica.erase(code)
    assert [w.key for w in await replica.waiting()][:-1] == [desk]


async def test_an_erasure_that_was_told_before_the_incident_moved_is_told_again_byte_for_byte(
    replica: Replica,
) -> None:
    code, report = await accepted(replica)
    await replica.reading.follow([happened(IncidentOpened, report)])
    await replica.erase(code)
    before = await replica.waiting()
    await replica.store.documents("erasures").delete([f"{report}/{INCIDENT}/told"])
    await replica.reading.follow([handed_over(report), happened(IncidentUpdated, report, desk="670102")])
    await replica.erase(code)
    assert [w.record() for w in await replica.waiting()] == [w.record() for w in before]


async def test_an_erasure_before_the_link_is_told_when_the_desk_is_known(replica: Replica) -> None:
    code, report = await accepted(replica)
    await replica.erase(code)
    assert [waiting.topic for waiting in await replica.waiting()] == ["reports.received"]
    for _ in range(2):
        await replica.reading.follow([happened(IncidentOpened, report)])
    assert [w.topic for w in await replica.waiting()] == ["desks.commands", "reports.received"]
