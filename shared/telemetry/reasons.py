"""The closed list of reasons: every label `reason` takes one of these, so that an alert can name them all."""

from enum import StrEnum


class Reason(StrEnum):
    """Why something failed, waited or was set aside; `meaning` is its one-line explanation."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> "Reason":
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.meaning = meaning
        return reason

    UNKNOWN_TYPE = "unknown_type", "no handler is declared for the event's type"
    BAD_ENVELOPE = "bad_envelope", "a required CloudEvents attribute is missing or malformed"
    BAD_HEADERS = "bad_headers", "a header is not UTF-8 text"
    BAD_BODY = "bad_body", "the body does not match the event's model"
    NULL_VALUE = "null_value", "the record has no value on a topic that is not compacted"
    MISSING_KEY = "missing_key", "the record has no key, so its order is undefined"
    TOO_LARGE = "too_large", "a record is larger than the broker accepts"
    HANDLER_ERROR = "handler_error", "the handler raised on this record alone"
    HANDLER_RETRY = "handler_retry", "the handler raised on a batch, which is run again one by one"
    DECISION_TOO_LARGE = "decision_too_large", "what one record caused does not fit in one commit"
    PARKED_BEHIND = "parked_behind", "an earlier record of the same key is poison"
    COMMIT_CONFLICT = "commit_conflict", "the next place in the commit log was taken already"
    STORE_UNAVAILABLE = "store_unavailable", "the store does not answer"
    BROKER_UNAVAILABLE = "broker_unavailable", "Kafka does not answer"
    NOT_AUTHORIZED = "not_authorized", "Kafka's access rules refuse the operation"
    LOGIN_REFUSED = "login_refused", "Kafka refuses the user's name or password"
    CERTIFICATE = "certificate", "a certificate has run out, or whoever signed it is not trusted"
    PRODUCER_DEAD = "producer_dead", "the producer is in a state only a new one heals"
    CONSUMER_STUCK = "consumer_stuck", "positions do not advance although there is something to read"
    OUT_OF_RANGE = "out_of_range", "the next offset to read is no longer kept by the broker"
    DLQ_LIMIT = "dlq_limit", "an input sent more to its dead-letter topic than it may"


class CommitKind(StrEnum):
    """Which of the two durable marks was written."""

    OFFSET = "offset"
    LOG = "log"
