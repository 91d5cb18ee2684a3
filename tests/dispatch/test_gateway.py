"""Who may say what to whom: agencies on their topics, people over HTTP, and where their wishes go."""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.dispatch import responses
from services.dispatch.api import MOST_WAITING, commands_api
from services.dispatch.following import KIND, Index, Seen, go_on
from services.dispatch.gateway import Gateway
from services.dispatch.metrics import DispatchMetrics
from services.dispatch.repeats import Repeats
from services.dispatch.responses import Responses
from services.dispatch.service import Follower
from services.dispatch.turn import Rules
from shared.bus import Retry
from shared.bus.testing import event_of
from shared.clock import ManualClock
from shared.contracts import (
    CommandRefused,
    CommandRequested,
    IncidentHandedOver,
    IncidentOpened,
    Record,
    ResponseSubmitted,
    decode,
)
from shared.contracts.command import CommandArgs
from shared.contracts.topics import DESKS_COMMANDS, INCIDENTS, agency_responses
from shared.contracts.values import Priority
from shared.http import ApiKeys, Caller
from shared.store import Document, Documents, SqliteStore
from shared.store.expiry import Expiry
from tests.bus.support import until
from tests.dispatch.stage import EMS, NEXT, PACK, POLICE, TRIAGE, Stage, only

SCOPES = {"officer:a": "commands", "agency:ems": "commands", "desk:p": "commands", "officer:b": "reports"}


class Delivered:
    """What a publisher gives back."""

    def __init__(self, *, ever: bool, refused: Sequence[str]) -> None:
        self._ever, self.refused = ever, refused

    async def wait(self) -> None:
        """Return when it is on the broker, which may be never."""
        if not self._ever:
            await asyncio.Event().wait()


class Broker:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.up, self.refused = True, list[str]()

    async def publish(self, records: Sequence[Record]) -> Delivered:
        """Take records."""
        self.records += records
        return Delivered(ever=self.up, refused=self.refused)


class Overtaken:
    """Documents that somebody else writes to just before this process does."""

    def __init__(self, documents: Documents, before: Callable[[], Awaitable[None]]) -> None:
        self._documents, self._before = documents, before

    def __getattr__(self, name: str) -> Any:
        return getattr(self._documents, name)

    async def insert(self, documents: Sequence[Document]) -> list[bool]:
        """Insert, too late."""
        await self._before()
        return await self._documents.insert(documents)

    async def put(self, documents: Sequence[Document]) -> None:
        """Put, too late."""
        await self._before()
        await self._documents.put(documents)


class Looked(Index):
    """An index that counts how often it is asked."""

    def __init__(self, index: Index) -> None:
        self._index, self.times = index, Counter[str]()

    async def find(self, incident_id: str) -> Seen | None:
        """Find, and count."""
        self.times[incident_id] += 1
        return await self._index.find(incident_id)


class Post:
    """The gateway with an index over what a stage has said, and its API."""

    def __init__(self, store: SqliteStore) -> None:
        self.stage, self.broker, self.clock, self.store = Stage(), Broker(), ManualClock(), store
        self.follower, self.metrics = Follower(), DispatchMetrics(CollectorRegistry())
        index, self.repeats = Index(store.documents(KIND)), Repeats(store)
        self.gateway = Gateway(Rules(PACK), index, self.metrics)
        self.follower.bind(index, self.metrics)
        self.responses, self.patience = self.answering(), 0.0
        self.process: FastAPI | None = None

    def answering(self, patience: float = 0.0) -> Responses:
        """Another process that reads the agencies' topics."""
        responses = Responses(patience)
        responses.bind(self.gateway, self.store, self.clock)
        return responses

    async def opened(self, category: str = "theft", **fields: Any) -> str:
        """Open an incident that the index knows of."""
        self.stage.report(category, **fields)
        await self.follow()
        return str(self.stage.said(IncidentOpened)[-1].incident_id)

    async def follow(self) -> None:
        """Let the index see the stream."""
        await self.follower.follow([event_of(data) for data in self.stage.stream])

    async def say(self, agency: str, verb: str, incident_id: str, **fields: Any) -> Any:
        """Let an agency answer on its topic; return what goes out, and where."""
        event = event_of(ResponseSubmitted(verb=verb, incident_id=incident_id, **fields))
        emit = only(await self.responses.answer(agency, event))
        return emit.topic, emit.data

    def app(self) -> FastAPI:
        """The API."""
        callers = {
            hashlib.sha256(name.encode()).hexdigest(): Caller(name=name, scopes=frozenset({scope}))
            for name, scope in SCOPES.items()
        }
        keys, within = ApiKeys(callers), {"within": 0.2, "patience": self.patience}
        return commands_api(self.gateway, self.repeats, keys, self.broker, self.clock, **within)

    async def post(self, body: Any, key: str = "officer:a", **headers: str) -> httpx.Response:
        """Ask over HTTP: the one process, if there is one, or another each time."""
        transport = httpx.ASGITransport(app=self.process or self.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://dispatch") as client:
            headers |= {"Authorization": f"Bearer {key}"}
            return await client.post("/v1/commands", json=body, headers=headers)


async def waiting(asking: asyncio.Task[Any]) -> None:
    """Return when `asking` has had time enough to be answered, and was not."""
    done, _ = await asyncio.wait([asking], timeout=0.2)
    assert not done


async def cancelled(*asking: asyncio.Task[Any]) -> None:
    """Return when these ask no more."""
    for one in asking:
        one.cancel()
    await asyncio.wait(asking)


async def waited_for(asked: Coroutine[Any, Any, Any], news: Callable[[], Awaitable[None]]) -> Any:
    """Return the answer to what is asked, which comes only after the `news`."""
    asking = asyncio.create_task(asked)
    await waiting(asking)
    await news()
    return await asking


async def test_an_answer_goes_to_the_desk_that_owns_the_agencys_task(post: Post) -> None:
    id_ = await post.opened("brawl", priority=Priority.P1)
    topic, command = await post.say("ems", "task.acknowledge", id_)
    assert (topic, command.desk, command.actor) == (DESKS_COMMANDS, EMS, "agency:ems")
    _, command = await post.say("police", "incident.update", id_, args=CommandArgs(note="ok"))
    assert command.desk == POLICE


async def test_the_command_keeps_the_id_the_agency_knows_it_by(post: Post) -> None:
    id_ = await post.opened()
    event = event_of(ResponseSubmitted(verb="task.acknowledge", incident_id=id_), id="theirs")
    assert only(await post.responses.answer("police", event)).data.command_id == "theirs"


NOTE = "โทรกลับ ๐๘๑-๒๓๔-๕๖๗๘\u200b บัตร 1-1037-00000-00-3"
MASKED = "โทรกลับ *** บัตร ***"


async def test_a_note_is_masked_before_it_goes_to_a_desk_whoever_adds_it(post: Post) -> None:
    id_ = await post.opened()
    _, command = await post.say("police", "incident.update", id_, args=CommandArgs(note=NOTE))
    assert command.args.note == MASKED
    body = {"verb": "incident.update", "incident_id": id_, "args": {"note": NOTE}}
    assert (await post.post(body, **{"Idempotency-Key": "k"})).status_code == 202
    record = only(post.broker.records)
    data = decode(record.value, record.headers).data
    assert data.args.note == MASKED
    [stored] = await post.store.documents("commands_asked").scan()
    assert "567" not in json.loads(stored.body)["command"]["args"]["note"]
    post.stage.tell(data)
    assert post.stage.view(id_).text == MASKED


async def test_what_is_kept_of_a_request_does_not_tell_which_number_its_note_had(post: Post) -> None:
    id_ = await post.opened()
    for number in ("0812345678", "0812345679"):
        body = {"verb": "incident.update", "incident_id": id_, "args": {"note": f"โทร {number}"}}
        assert (await post.post(body, **{"Idempotency-Key": "k"})).status_code == 202
    assert post.broker.records[0] == post.broker.records[1]


async def test_a_note_that_masking_makes_longer_still_fits(post: Post) -> None:
    id_ = await post.opened()
    note = "พ.ศ.2569" * 250
    _, command = await post.say("police", "incident.update", id_, args=CommandArgs(note=note))
    assert CommandRequested.model_validate_json(command.model_dump_json()) == command


@pytest.mark.parametrize("verb", ["task.acknowledge", "incident.close", "task.assign"])
async def test_an_agency_that_takes_no_part_is_refused_where_it_can_read_it(post: Post, verb: str) -> None:
    topic, refused = await post.say("ems", verb, await post.opened())
    assert topic is INCIDENTS
    assert isinstance(refused, CommandRefused)
    assert (refused.actor, refused.reason) == ("agency:ems", "not_allowed")


async def test_a_unit_is_moved_by_its_own_agency_only(post: Post) -> None:
    id_ = await post.opened()
    _, command = await post.say("ems", "unit.set_state", id_, unit_id="amb-1")
    assert command.desk == EMS
    _, refused = await post.say("ems", "unit.set_state", id_, unit_id="car-1")
    assert refused.reason == "not_allowed"


async def test_an_answer_about_an_incident_that_is_not_seen_yet_is_passed_on_when_it_is(post: Post) -> None:
    post.responses = post.answering(patience=60.0)
    post.stage.report("theft")
    id_ = str(post.stage.said(IncidentOpened)[-1].incident_id)
    answer = await waited_for(post.say("police", "task.acknowledge", id_), post.follow)
    assert answer[1].desk == POLICE


async def test_an_answer_of_an_agency_that_is_not_seen_yet_to_take_part_is_passed_on_when_it_is(
    post: Post,
) -> None:
    post.responses = post.answering(patience=60.0)
    id_ = await post.opened()
    post.stage.order("task.assign", incident_id=id_, to_desk=EMS)
    answer = await waited_for(post.say("ems", "task.acknowledge", id_), post.follow)
    assert answer[1].desk == EMS


SHORT_LOOKS = 5
"""What 0.2 seconds have room for: at 0, 0.05, 0.125 and 0.2, and one more where a sleep ends early."""


async def test_an_agency_that_was_waited_for_in_vain_is_not_waited_for_again_at_once(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.responses = post.answering(patience=1.0)
    looked = post.gateway.index = Looked(post.gateway.index)
    monkeypatch.setattr(responses, "SPARED_FOR_ALL", 1_000)
    for agency, most in (("police", 9), ("police", SHORT_LOOKS), ("police", 1), ("ems", SHORT_LOOKS)):
        looked.times.clear()
        _, refused = await post.say(agency, "task.acknowledge", "never")
        assert (refused.reason, refused.desk) == ("unknown_incident", TRIAGE)
        assert min(most, 2) <= looked.times["never"] <= most
    monkeypatch.setattr(responses, "SPARED_FOR_ALL", 0)
    assert post.responses._patience("ems") == 1.0


async def test_not_everybody_may_wait_at_once(post: Post) -> None:
    post.patience = 60.0
    post.process = post.app()
    looked = post.gateway.index = Looked(post.gateway.index)

    def never(name: str) -> asyncio.Task[httpx.Response]:
        return asyncio.create_task(post.post({"verb": "incident.close", "incident_id": name}))

    asking = [never(f"never-{n}") for n in range(MOST_WAITING)]
    await until(lambda: min(looked.times[f"never-{n}"] for n in range(MOST_WAITING)) > 1, "so many wait")
    async with asyncio.timeout(30):
        assert (await never("one-more")).status_code == 404
    assert not any(one.done() for one in asking)
    await cancelled(*asking)
    later = never("later")
    await waiting(later)
    await cancelled(later)


@pytest.mark.parametrize("verb", ["task.assign", "unit.set_state"])
async def test_nothing_is_waited_for_that_no_event_could_change(post: Post, verb: str) -> None:
    id_ = await post.opened()
    post.responses = post.answering(patience=0.1)
    looked = post.gateway.index = Looked(post.gateway.index)
    _, refused = await post.say("ems", verb, id_, unit_id="car-1")
    assert (refused.reason, looked.times.total()) == ("not_allowed", 1)


async def test_an_answer_that_is_read_again_is_the_same_command_though_the_incident_has_moved(
    post: Post,
) -> None:
    id_ = await post.opened()
    event = event_of(ResponseSubmitted(verb="incident.update", incident_id=id_))
    first = await post.responses.answer("police", event)
    post.stage.order("incident.hand_over", incident_id=id_, to_desk=NEXT)
    await post.follow()
    assert await post.responses.answer("police", event) == first


async def test_an_answer_that_was_refused_is_refused_in_the_same_words_when_it_is_read_again(
    post: Post,
) -> None:
    id_ = await post.opened()
    early = event_of(ResponseSubmitted(verb="task.acknowledge", incident_id="late"))
    alien = event_of(ResponseSubmitted(verb="task.acknowledge", incident_id=id_))
    first = [await post.responses.answer(who, e) for who, e in (("police", early), ("ems", alien))]
    late = post.stage.events(id_)[-1].model_copy(update={"incident_id": "late"})
    await post.follower.follow([event_of(late)])
    post.stage.order("task.assign", incident_id=id_, to_desk=EMS)
    await post.follow()
    again = [await post.responses.answer(who, e) for who, e in (("police", early), ("ems", alien))]
    assert again == first
    assert [only(answer).data.reason for answer in again] == ["unknown_incident", "not_allowed"]


async def test_two_agencies_may_give_their_answers_the_same_id(post: Post) -> None:
    id_ = await post.opened("brawl", priority=Priority.P1)
    event = event_of(ResponseSubmitted(verb="task.acknowledge", incident_id=id_), id="1")
    desks = [only(await post.responses.answer(agency, event)).data.desk for agency in ("police", "ems")]
    assert desks == [POLICE, EMS]


async def test_what_was_made_of_an_answer_is_kept_as_long_as_the_answer_itself(post: Post) -> None:
    await post.say("police", "task.acknowledge", await post.opened())
    kept = agency_responses("police").kept
    assert kept is not None
    post.clock.advance(kept.total_seconds() - 1)
    assert await Expiry(post.store).sweep(post.clock.now_ms()) == 0
    post.clock.advance(1)
    assert await Expiry(post.store).sweep(post.clock.now_ms()) == 1


async def test_before_the_store_answers_nothing_is_decided() -> None:
    with pytest.raises(Retry):
        await Responses().answer("police", event_of(ResponseSubmitted(verb="a.b", incident_id="i")))
    with pytest.raises(Retry):
        await Follower().follow([])


async def test_what_repeats_does_not_make_the_index_older(post: Post) -> None:
    id_ = await post.opened()
    first = post.stage.events(id_)[0]
    await post.follower.follow([event_of(first)])
    seen = await post.gateway.index.find(id_)
    assert seen is not None
    assert seen.seq == post.stage.events(id_)[-1].seq > first.seq


async def test_whoever_follows_late_never_puts_an_older_entry_over_a_newer_one(post: Post) -> None:
    id_ = await post.opened()
    for note in ("x", "y"):
        post.stage.order("incident.update", incident_id=id_, note=note)
    [*_, older, newest] = post.stage.events(id_)
    slow = Index(Overtaken(post.store.documents(KIND), before=lambda: post.gateway.index.note([newest])))
    await slow.note([older])
    seen = await post.gateway.index.find(id_)
    assert seen is not None
    assert seen.seq == newest.seq


async def test_of_each_incident_one_entry_is_kept(post: Post) -> None:
    id_ = await post.opened("brawl", priority=Priority.P1)
    events = post.stage.events(id_)
    for first in range(len(events)):  # whatever was done before a fault is done again
        await post.gateway.index.note(events[first:])
        await post.gateway.index.note(events[: first + 1])
    await post.gateway.index.note(events)
    assert len(await post.store.documents(KIND).scan()) == 1


async def test_while_an_incident_moves_its_old_desk_is_asked(post: Post) -> None:
    id_ = await post.opened()
    post.stage.order("incident.hand_over", incident_id=id_, to_desk=NEXT)
    handed = only(post.stage.said(IncidentHandedOver))
    answers = await post.follower.follow([event_of(handed)])
    assert only(list(answers[0])).data == only(list(go_on(event_of(handed)))).data
    assert (await post.say("police", "incident.close", id_))[1].desk == POLICE
    await post.follow()
    assert (await post.say("police", "incident.close", id_))[1].desk == NEXT


async def test_a_command_over_http_is_on_the_broker_before_the_answer(post: Post) -> None:
    id_ = await post.opened()
    answer = await post.post({"verb": "incident.close", "incident_id": id_, "args": {"outcome": "hoax"}})
    assert answer.status_code == 202
    record = only(post.broker.records)
    event = decode(record.value, record.headers)
    assert answer.json() == {"command_id": event.id, "desk": POLICE}
    assert record.key == POLICE.encode()
    assert isinstance(event.data, CommandRequested)
    assert (event.data.actor, event.data.args.outcome) == ("officer:a", "hoax")


async def test_a_reopening_carries_the_incident_for_a_desk_that_has_forgotten_it(post: Post) -> None:
    id_ = await post.opened()
    post.stage.order("incident.close", incident_id=id_)
    post.stage.advance(3_600)
    await post.follow()
    await post.post({"verb": "incident.reopen", "incident_id": id_})
    record = only(post.broker.records)
    post.stage.tell(decode(record.value, record.headers).data)
    assert post.stage.view(id_).lifecycle == "assigned"


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("nobody", {"verb": "incident.close", "incident_id": "i"}, 401, "unauthorized"),
        ("officer:b", {"verb": "incident.close", "incident_id": "i"}, 403, "forbidden"),
        ("desk:p", {"verb": "incident.close", "incident_id": "i"}, 403, "forbidden"),
        ("officer:a", {"verb": "incident.close", "incident_id": "i"}, 404, "unknown_incident"),
        ("agency:ems", {"verb": "unit.set_state", "unit_id": "car-1"}, 403, "not_allowed"),
        ("officer:a", {"verb": "close"}, 422, "invalid_request"),
        ("officer:a", {"verb": "incident.close", "view": {}}, 422, "invalid_request"),
    ],
)
async def test_a_request_that_does_not_do_says_why(
    post: Post, key: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await post.post(body, key)
    assert answer.status_code == status
    assert answer.json()["type"].endswith(code)
    assert post.broker.records == []


async def test_who_has_heard_of_an_incident_first_is_passed_on_when_it_is_seen(post: Post) -> None:
    post.patience = 60.0
    post.stage.report("theft")
    id_ = str(post.stage.said(IncidentOpened)[-1].incident_id)
    answer = await waited_for(post.post({"verb": "incident.close", "incident_id": id_}), post.follow)
    assert answer.status_code == 202


async def test_who_has_no_key_is_told_so_before_what_is_sent_is_judged(post: Post) -> None:
    answer = await post.post({}, key="nobody")
    assert answer.status_code == 401


async def test_a_command_that_the_broker_refuses_is_not_said_to_be_accepted(post: Post) -> None:
    id_ = await post.opened()
    post.broker.refused = ["desks.commands"]
    answer = await post.post({"verb": "incident.close", "incident_id": id_})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:ruamjai:problem:too_large")


async def test_a_broker_that_does_not_answer_leaves_the_outcome_open(post: Post) -> None:
    id_ = await post.opened()
    post.broker.up = False
    answer = await post.post({"verb": "incident.close", "incident_id": id_})
    assert answer.status_code == 503
    assert decode(post.broker.records[0].value, post.broker.records[0].headers).id in answer.json()["detail"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"verb": "incident.dance"}, "body.verb"),
        ({"verb": "incident.close", "args": {"why": "x"}}, "body.args.why"),
    ],
)
async def test_what_no_desk_would_understand_is_refused_at_once(
    post: Post, said: dict[str, Any], field: str
) -> None:
    answer = await post.post({"incident_id": await post.opened(), **said})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert not post.broker.records


async def test_what_is_on_the_stream_is_counted(post: Post) -> None:
    id_ = await post.opened()
    post.stage.order("incident.dance", incident_id=id_)
    await post.follow()

    def count(metric: Any, label: str) -> float:
        return float(metric.labels(label)._value.get())

    assert count(post.metrics.events, "incident.opened") == 2  # once by `opened`, once more here
    assert count(post.metrics.commands, "unknown_verb") == 1
