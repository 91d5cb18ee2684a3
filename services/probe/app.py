"""`ruamjai probe` runs the probe; so does `python -m services.probe.app`."""

import click

from services.probe.metrics import ProbeMetrics
from services.probe.rounds import Rounds
from shared.bus import Service, launch
from shared.settings import ConfigurationError, Settings


def build(settings: Settings) -> Service:
    """Return the service: it owns no group and stores nothing. Raises ConfigurationError."""
    if settings.intake_url is None:
        raise ConfigurationError("INTAKE_URL is needed: where the test reports go")
    service, metrics = Service("probe"), ProbeMetrics()
    service.expose(metrics)
    rounds = Rounds(settings.intake_url, metrics)
    service.beside(rounds.follow, without_broker=True, without_store=True)
    service.beside(rounds.send, without_broker=True, without_store=True)
    return service


@click.command()
def probe() -> None:
    """Send a test report each minute and time its way to the stream, until stopped."""
    launch("probe", build)


if __name__ == "__main__":
    probe()
