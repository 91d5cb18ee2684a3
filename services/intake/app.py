"""`python -m services.intake.app` runs intake."""

from services.intake.handlers import Intake
from shared.bus import Service
from shared.contracts.topics import INCIDENTS


def build() -> Service:
    """Return the service: an API that needs no broker, a forwarder, and a follower of `incidents`."""
    service, intake = Service("intake"), Intake()
    service.beside(intake.serve, without_broker=True)
    service.beside(intake.forward)
    service.on_batch(INCIDENTS, gather=0.25)(intake.follow)
    return service


if __name__ == "__main__":
    build().run()
