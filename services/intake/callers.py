"""Who calls: the holder of an API key, or a citizen's device."""

from dataclasses import dataclass

from services.intake.limits import ANONYMOUS, BY_DEVICE, BY_KEY, Limits
from shared.contracts.report import Reporter
from shared.http import ApiKeys, Problem

SCOPE = "reports.write"


@dataclass(frozen=True, slots=True)
class Sender:
    """A caller whose rate has been checked. `name` is what an idempotency key belongs to."""

    name: str
    has_key: bool

    def may_report_as(self, kind: Reporter) -> None:
        """Raises Problem 403 when only the holder of a key may say this of themselves."""
        if kind is not Reporter.CITIZEN and not self.has_key:
            raise Problem(403, "forbidden", f"reporting as {kind.value} needs an API key")


class Door:
    """Lets callers in, within their rates."""

    def __init__(self, keys: ApiKeys, limits: Limits) -> None:
        self._keys, self._limits = keys, limits

    def sender(self, authorization: str | None, device: str | None) -> Sender:
        """Return who sends; a key counts before a device. Raises Problem (401, 403, 429)."""
        if authorization is not None or device is None:
            sender = Sender(f"key:{self._keys.caller(authorization, SCOPE).name}", has_key=True)
            self._limits.take(sender.name, BY_KEY)
            return sender
        sender = Sender(f"device:{device}", has_key=False)
        self._limits.take(sender.name, BY_DEVICE)
        self._limits.take("anonymous", ANONYMOUS)
        return sender
