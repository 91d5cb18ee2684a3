"""notify, wired: run it with `python -m services.notify.app`."""

from services.notify.agreements import Agreements
from services.notify.metrics import NotifyMetrics
from services.notify.parts import declare_disclosure, declare_sharing, declare_webhooks
from services.notify.webhooks.config import load_endpoints
from shared.bus import Service
from shared.settings import Settings, SettingsError, load_settings


def notify(settings: Settings) -> Service:
    """Return the service. Raises EndpointsError when its webhooks cannot be used."""
    service, metrics = Service(settings.service), NotifyMetrics()
    agreements = Agreements(metrics)
    declare_sharing(service, agreements, metrics)
    declare_webhooks(service, load_endpoints(settings.webhooks_file), metrics)
    declare_disclosure(service, agreements, metrics)
    return service


if __name__ == "__main__":
    try:
        notify(load_settings("notify")).run()
    except (SettingsError, ValueError) as error:
        raise SystemExit(str(error)) from None
