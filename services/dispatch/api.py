"""`POST /v1/commands`: officers' consoles and agencies' systems ask a desk to do something."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI, Header, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from services.dispatch.asked import Why
from services.dispatch.gateway import PATIENCE_SECONDS, Gateway, NotPassed, masked
from services.dispatch.repeats import Asked, KeyReusedError, Repeats, digest_of
from shared.bus import FatalError
from shared.clock import Clock
from shared.contracts import Record
from shared.contracts.command import CommandArgs, CommandBody, CommandRequested, Verb
from shared.contracts.ids import new_id
from shared.contracts.values import Id
from shared.http import ApiKeys, Caller, Problem, api, documented
from shared.store import StoreUnavailable

SCOPE = "commands"
ACTORS = ("officer", "agency")
PUBLISH_SECONDS = 5.0
MOST_WAITING = 32
"""How many callers are waited for at once: each looks into the store again and again."""
Key = Depends(
    HTTPBearer(auto_error=False, description="An officer's or an agency's key with the scope commands")
)
KEY_SHAPE = r"^[!-~]{1,64}$"
IdempotencyKey = Annotated[
    Annotated[str, StringConstraints(pattern=KEY_SHAPE)] | SkipJsonSchema[None],
    Header(
        description="New for each command, the same when the request is sent again: within 72 hours the same "
        "caller gets the same `command_id` for it, and the desk decides it once. With another body it is "
        "refused with 422. Without a key each request is a command of its own"
    ),
]


class Delivery(Protocol):
    """What was handed to the broker. `refused`: topics of records that it will never take."""

    @property
    def refused(self) -> Sequence[str]: ...

    async def wait(self) -> None:
        """Return when the broker has acknowledged it."""


class Sender(Protocol):
    """The way to the broker."""

    async def publish(self, records: Sequence[Record], /) -> Delivery:
        """Hand over records, in order."""


class Arguments(CommandArgs):
    """What the verbs need besides ids; what none of them knows is refused at once."""

    model_config = ConfigDict(extra="forbid")


class Command(BaseModel):
    """What is asked: a verb, what it is about, and its arguments."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    verb: Verb
    incident_id: Id | None = None
    task_id: Id | None = None
    unit_id: Id | None = None
    args: Arguments = Arguments()


class Accepted(BaseModel):
    """The command is on its way; its outcome on the stream carries this id."""

    command_id: str
    desk: str = Field(description="The desk that decides")


def commands_api(
    gateway: Gateway,
    repeats: Repeats,
    keys: ApiKeys,
    publisher: Sender,
    clock: Clock,
    within: float = PUBLISH_SECONDS,
    patience: float = PATIENCE_SECONDS,
) -> FastAPI:
    """Return the API. Keys need the scope `commands` and a name `officer:<id>` or `agency:<code>`.

    `within`: seconds the broker has to take a command; `patience`: seconds a caller may be ahead.
    """
    app = api("Ruamjai dispatch", "1")
    places = asyncio.Semaphore(MOST_WAITING)

    def speaker(request: Request) -> Caller:
        caller = keys.caller(request.headers.get("authorization"), SCOPE)
        if caller.name.partition(":")[0] not in ACTORS:
            raise Problem(403, "forbidden", "this key is neither an officer's nor an agency's")
        return caller

    @app.post(
        "/v1/commands",
        status_code=202,
        dependencies=[Key],
        responses=documented(400, 401, 403, 404, 408, 413, 415, 422, 503),
    )
    async def ask(
        body: Command,
        caller: Annotated[Caller, Depends(speaker)],
        idempotency_key: IdempotencyKey = None,
    ) -> Accepted:
        digest = digest_of(body.model_copy(update={"args": masked(body.args)}))

        async def make() -> Asked:
            command = await _routed(gateway, body, caller.name, patience, places)
            return Asked(id=new_id(), at=clock.now(), command=command, digest=digest)

        try:
            asked = await repeats.first(caller.name, idempotency_key, digest, make)
        except KeyReusedError:
            detail = "this Idempotency-Key stands for another command; take a new one for a new command"
            raise Problem(422, "idempotency_key_reused", detail) from None
        except StoreUnavailable:
            raise Problem(503, "unavailable", "try again", headers={"Retry-After": "2"}) from None
        await _published(publisher, asked.record(), asked.id, within)
        return Accepted(command_id=asked.id, desk=asked.command.desk)

    return app


async def _routed(
    gateway: Gateway, body: Command, actor: str, patience: float, places: asyncio.Semaphore
) -> CommandRequested:
    asked = _Body(verb=body.verb, task_id=body.task_id, unit_id=body.unit_id, args=body.args)
    try:
        return await gateway.command(asked, actor, body.incident_id, patience, places)
    except NotPassed as no:
        status = 404 if no.reason is Why.UNKNOWN_INCIDENT else 403
        raise Problem(status, no.reason.value, no.detail) from None


class _Body(CommandBody):
    """A command's body that is no event of its own."""


async def _published(publisher: Sender, record: Record, id_: str, within: float) -> None:
    try:
        async with asyncio.timeout(within):
            delivery = await publisher.publish([record])
            await delivery.wait()
    except (TimeoutError, FatalError):
        detail = f"the broker does not answer; command {id_} may still take effect, look for its outcome"
        raise Problem(503, "outcome_unknown", detail, headers={"Retry-After": "5"}) from None
    if delivery.refused:
        raise Problem(413, "too_large", "the broker takes no command of this size; nothing was done")
