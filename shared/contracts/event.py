"""What an event is: a CloudEvents 1.0 envelope around one frozen model, and the base of those models."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

TYPE_PREFIX = "th.ruamjai."
LONGEST = 512
"""Characters an attribute may have."""
NonEmpty = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, pattern=r"^[^\x00]+$")]
TRACEPARENT = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"


class Status(StrEnum):
    """How real an event is, in the words of CAP 1.2; only `actual` reaches people outside."""

    ACTUAL = "actual"
    EXERCISE = "exercise"
    TEST = "test"


_FIELDS_SET: set[str] = set()
"""Pydantic remembers for each object which fields were given. Nobody asks, and it took a third of the memory
of what desks hold; so all objects share this one, and copies start from it."""


class Model(BaseModel):
    """Base of everything on the bus: immutable, and blind to fields a newer writer added.

    NaN and infinity are refused: JSON has no spelling for them, so such a body could not be written again.
    Which fields were given is not known afterwards (`model_fields_set`, `exclude_unset`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, ser_json_timedelta="float")

    def model_post_init(self, _: Any) -> None:
        """Forget which fields were given."""
        object.__setattr__(self, "__pydantic_fields_set__", _FIELDS_SET)


class EventData(Model):
    """Base of every event's body. A subclass names its CloudEvents type and the field that is its subject."""

    type: ClassVar[str]
    subject_field: ClassVar[str]

    status: Status = Field(default=Status.ACTUAL, description="actual, exercise or test (CAP 1.2)")

    @property
    def subject(self) -> str:
        """The CloudEvents subject: the id of what the event is about."""
        return str(getattr(self, self.subject_field))

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "type" not in cls.__dict__:
            return
        name = getattr(cls, "subject_field", None)
        if cls.subject is EventData.subject and name not in cls.model_fields:
            raise TypeError(f"{cls.__name__}: subject_field names no field: {name!r}")
        REGISTRY.add(cls)


class Registry:
    """Every event type there is, by its CloudEvents type; filled as the contract modules are imported."""

    def __init__(self) -> None:
        self._by_type: dict[str, type[EventData]] = {}

    def add(self, model: type[EventData]) -> None:
        """Register `model`; raises ValueError when its type is malformed or taken by another model."""
        other = self._by_type.setdefault(model.type, model)
        if other.__qualname__ != model.__qualname__ or not model.type.startswith(TYPE_PREFIX):
            raise ValueError(f"event type {model.type!r} of {model.__name__} is taken or malformed")

    def get(self, event_type: str) -> type[EventData] | None:
        """Return the model of `event_type`, or None when no release knows it."""
        return self._by_type.get(event_type)

    def all(self) -> list[type[EventData]]:
        """Return every model, sorted by type."""
        return [self._by_type[name] for name in sorted(self._by_type)]


REGISTRY = Registry()


class Envelope(Model):
    """The CloudEvents 1.0 context attributes Ruamjai uses, plus the W3C trace context."""

    specversion: Literal["1.0"]
    id: NonEmpty
    source: NonEmpty
    type: NonEmpty
    subject: NonEmpty
    time: AwareDatetime
    traceparent: Annotated[str, StringConstraints(pattern=TRACEPARENT)] | None = None


T = TypeVar("T", bound=EventData, covariant=True)


@dataclass(slots=True)
class Event(Generic[T]):
    """One event as a handler sees it: its CloudEvents attributes, its body as a model. Treat it as frozen."""

    id: str
    """`ce_id`; equal ids mean equal bytes."""
    source: str
    type: str
    """`ce_type`, such as `th.ruamjai.report.received.v1`."""
    subject: str
    """`ce_subject`: the id of what the event is about."""
    time: datetime
    """`ce_time`: when the platform decided it, UTC."""
    traceparent: str | None
    """The W3C trace context the event carries, if any."""
    data: T
    wire_time: bytes | None = field(default=None, compare=False, repr=False)
    """`ce_time` as it was read, where that is its canonical spelling: nobody need spell it again."""
    topic: str | None = field(default=None, compare=False)
    """The topic it was read from, which says who may have written it; of a replay, the first one."""
