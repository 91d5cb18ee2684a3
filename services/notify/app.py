"""`python -m services.notify.app` runs notify."""

from services.notify.agreements import Agreements
from services.notify.metrics import NotifyMetrics
from services.notify.parts import declare_disclosure, declare_sharing, declare_webhooks
from services.notify.webhooks.config import load_endpoints
from shared.bus import Service, launch
from shared.settings import Settings


def notify(settings: Settings) -> Service:
    """Return the service. Raises EndpointsError when its webhooks cannot be used."""
    service, metrics = Service(settings.service), NotifyMetrics()
    service.expose(metrics)
    agreements = Agreements(metrics)
    declare_sharing(service, agreements, metrics)
    declare_webhooks(service, load_endpoints(settings.webhooks_file), metrics)
    declare_disclosure(service, agreements, metrics)
    return service


if __name__ == "__main__":
    launch("notify", notify)
