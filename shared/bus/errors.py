"""The kernel's own errors, and the one question asked of every other: will waiting help?"""

import asyncio

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from shared.store import StoreUnavailable
from shared.telemetry.reasons import Reason

NOT_AUTHORIZED = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)


class Retry(Exception):  # noqa: N818  (what the handler asks for, not what went wrong)
    """Raised by a handler whose outside is not there yet: the same event comes again after a pause."""


class FatalError(Exception):
    """The consumer cannot go on without a person; the process exits with this text as its reason."""


class DecisionTooLargeError(ValueError):
    """One decision does not fit a commit document."""


def transient_reason(error: BaseException) -> Reason | None:
    """Return why waiting may heal `error`, or None when it never will and the event is poison."""
    if isinstance(error, StoreUnavailable):
        return Reason.STORE_UNAVAILABLE
    if isinstance(error, KafkaError):
        return broker_reason(error)
    if isinstance(error, Retry | ConnectionError | TimeoutError | asyncio.TimeoutError):
        return Reason.HANDLER_RETRY
    return None


def broker_reason(error: BaseException) -> Reason:
    """Return whether the brokers refuse what was asked, or do not answer."""
    return Reason.NOT_AUTHORIZED if isinstance(error, NOT_AUTHORIZED) else Reason.BROKER_UNAVAILABLE
