"""Which pack a service goes by, and what became of changes to it."""

from enum import StrEnum

from prometheus_client import Counter, Gauge

from shared.telemetry.metric import Catalogue, Metric, counter, gauge


class Change(StrEnum):
    """What became of a pack that was found changed; the closed list of the label `outcome`."""

    TAKEN = "taken"
    """It is in use."""
    REFUSED = "refused"
    """It cannot be used; the log says why, and the one before stays."""


class PackMetrics(Catalogue):
    """The catalogue; hand it to `Service.expose`."""

    in_use: Metric[Gauge] = gauge(
        "pack_in_use", "1 for the pack in use, by its code and the start of its digest.", "pack", "digest"
    )
    changes: Metric[Counter] = counter(
        "pack_changes_total", "Packs found changed while running, by what became of them.", "outcome"
    )

    def use(self, code: str, digest: str) -> None:
        """Show the pack in use, and no other."""
        self.in_use.clear()
        self.in_use.labels(code, digest[:12]).set(1)
