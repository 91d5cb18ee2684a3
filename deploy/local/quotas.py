"""Quotas of users, which neither aiokafka nor librdkafka can set: the one request of the protocol for it."""

from typing import Any

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeClientQuotasRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from deploy.local.access import Access
from shared.rights import Quota
from shared.rights.kafka_acls import limits_of

ENTITY = Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))
OPERATIONS = Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))


class AlterClientQuotasResponse(Response):  # type: ignore[misc]
    """What became of each entry."""

    API_KEY, API_VERSION = 49, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "entries",
            Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", ENTITY)),
        ),
    )


class AlterClientQuotas_v0(RequestStruct):  # type: ignore[misc]  # noqa: N801
    """The request on the wire."""

    API_KEY, API_VERSION = 49, 0
    RESPONSE_TYPE = AlterClientQuotasResponse
    SCHEMA = Schema(("entries", Array(("entity", ENTITY), ("ops", OPERATIONS))), ("validate_only", Boolean))


class AlterClientQuotas(Request[AlterClientQuotas_v0]):  # type: ignore[misc]
    """One user's quota; what is already set is replaced."""

    API_KEY = 49

    def __init__(self, user: str, quota: Quota) -> None:
        operations = [(name, float(value), False) for name, value in limits_of(quota).items()]
        self._entries = [([("user", user)], operations)]

    def build(self, request_struct_class: type[AlterClientQuotas_v0]) -> AlterClientQuotas_v0:
        """Return the request for the version that the broker speaks."""
        return request_struct_class(self._entries, False)


async def set_quota(admin: Access, user: str, quota: Quota) -> None:
    """Set it, by the rights of `admin`. Raises KafkaError."""
    answer = await _ask(admin, AlterClientQuotas(user, quota))
    for code, message, _ in answer.entries:
        _check(code, message)


async def quota_of(admin: Access, user: str) -> dict[str, float]:
    """Return what is set for a user, under Kafka's own names. Raises KafkaError."""
    answer = await _ask(admin, DescribeClientQuotasRequest([("user", 0, user)], True))
    _check(answer.error_code, answer.error_message)
    return {name: value for _, values in answer.entries for name, value in values}


async def _ask(admin: Access, request: object) -> Any:
    host, _, port = admin.url.split(",")[0].rpartition(":")
    options = {name: value for name, value in admin.aiokafka().items() if name != "bootstrap_servers"}
    connection = await create_conn(host, int(port), **options)
    try:
        return await connection.send(request)
    finally:
        await connection.close()


def _check(code: int, message: str | None) -> None:
    if code:
        error: type[KafkaError] = for_code(code)
        raise error(message)
