"""Why brokers do not let us in. aiokafka's clients log the cause and then raise something that lacks it."""

import logging
import ssl
from collections.abc import Iterator

from aiokafka.errors import IllegalSaslStateError, SaslAuthenticationFailed, UnsupportedSaslMechanismError

from shared.telemetry import Metrics
from shared.telemetry.reasons import Reason

log = logging.getLogger(__name__)

LOGIN = (SaslAuthenticationFailed, UnsupportedSaslMechanismError, IllegalSaslStateError)


class Refusals(logging.Handler):
    """Counts them while it is open, and says each new one once, in words."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.ERROR)
        self._metrics = metrics
        self.trouble: str | None = None
        """Why the last connection that failed was refused; None when nobody refused it."""

    def open(self) -> None:
        """Begin to listen."""
        logging.getLogger("aiokafka").addHandler(self)

    def close(self) -> None:
        """Listen no more."""
        logging.getLogger("aiokafka").removeHandler(self)
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Look at what a client says it failed of."""
        told = record.args if isinstance(record.args, tuple) else ()
        for error in told:
            if isinstance(error, BaseException):
                self._note(refusal(error), error)

    def _note(self, reason: Reason | None, error: BaseException) -> None:
        if reason is None:
            self.trouble = None
            return
        self._metrics.connections_refused.labels(reason).inc()
        trouble = f"{reason.meaning}: {error}"
        if trouble != self.trouble:
            self.trouble = trouble
            log.error("Kafka and we do not come together: %s", trouble, extra={"reason": reason.value})


def refusal(error: BaseException) -> Reason | None:
    """Return which side refused what, or None when `error` is about something else, such as the network."""
    for cause in _causes(error):
        if isinstance(cause, LOGIN):
            return Reason.LOGIN_REFUSED
        if isinstance(cause, ssl.SSLError) and "CERT" in (cause.reason or str(cause)).upper():
            return Reason.CERTIFICATE
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
