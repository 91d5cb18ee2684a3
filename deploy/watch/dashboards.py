"""The two dashboards: is the stream well, and did they get it? Every metric of the catalogues is on one."""

from collections.abc import Iterator

from deploy.watch.catalogues import CATALOGUES, known
from deploy.watch.panels import Json, Panel, dashboard, panel_of

AGENCY = 'agency=~"$agency"'
ENDPOINT = 'endpoint=~"$endpoint"'
LATE = "ruamjai:late:ratio_rate1h"
ERRORS = "ruamjai:intake_errors:ratio_rate1h"
AGE = "ruamjai_oldest_unprocessed_age_seconds"


def stream() -> Json:
    """Return the dashboard of the stream: first whether it is well, then every figure of each part."""
    rows = [("Is it well?", _at_a_glance())]
    rows += [(part, [panel_of(k) for k in known() if k.part == part]) for part in CATALOGUES]
    return dashboard("ruamjai-stream", "Ruamjai: the stream", rows, [])


def agency() -> Json:
    """Return the dashboard of one agency: what it was told, what not and why, and by which way."""
    by_agency = [k for k in known() if "agency" in k.metric.labels]
    by_endpoint = [k for k in known() if "endpoint" in k.metric.labels]
    rows = [
        ("Did they get it?", list(_told())),
        ("Its topic", [panel_of(k, where=AGENCY) for k in by_agency]),
        ("Webhooks", [panel_of(k, where=ENDPOINT) for k in by_endpoint]),
    ]
    variables = [_variable("agency", by_agency[0].name), _variable("endpoint", by_endpoint[0].name)]
    return dashboard("ruamjai-agency", "Ruamjai: an agency", rows, variables)


def _at_a_glance() -> list[Panel]:
    def stat(title: str, query: str, unit: str, red_from: float, legend: str = "") -> Panel:
        return Panel(title, [(query, legend)], unit, "stat", width=4, height=4, red_from=red_from)

    ages = [(f"max by (group, topic) ({AGE})", "{{group}} {{topic}}")]
    firing = 'sum by (alertname, severity) (ALERTS{alertstate="firing", severity!="none"})'
    return [
        stat("Last test report", "time() - max(ruamjai_probe_last_seen_timestamp_seconds)", "s", 150),
        stat("Oldest unprocessed", f"max({AGE})", "s", 60),
        stat("Intake errors, 1 h", ERRORS, "percentunit", 0.001),
        stat("Later than 5 s, 1 h", f"max({LATE})", "percentunit", 0.01),
        stat("Dead letters, 1 h", _grown("ruamjai_dead_lettered_total"), "short", 1),
        stat("Webhook events given up, 1 h", _grown("ruamjai_notify_webhooks_given_up_total"), "short", 1),
        Panel("Firing", [(firing, "{{alertname}} {{severity}}")], width=12),
        Panel("Oldest unprocessed, by input", ages, "s", width=12, red_from=60),
    ]


def _grown(counter: str) -> str:
    return f"sum(increase({counter}[1h])) or vector(0)"


def _told() -> Iterator[Panel]:
    shared = f"sum(increase(ruamjai_notify_shared_total{{{AGENCY}}}[$__range]))"
    withheld = f"sum by (reason) (increase(ruamjai_notify_withheld_total{{{AGENCY}}}[$__range]))"
    beats = f"sum(increase(ruamjai_notify_heartbeats_total{{{AGENCY}}}[5m]))"
    ends = f"min by (agreement) (ruamjai_notify_agreement_ends_timestamp_seconds{{{AGENCY}}}) - time()"
    age = f'max({AGE}{{group="notify", topic="incidents"}})'
    yield Panel("Events shared, in this time", [(shared, "")], kind="stat", width=4, height=4)
    yield Panel("Withheld, and why", [(withheld, "{{reason}}")], kind="stat", width=8, height=4)
    yield Panel("Heartbeats in 5 minutes", [(beats, "")], kind="stat", width=4, height=4)
    yield Panel("Not told yet for", [(age, "")], "s", "stat", width=4, height=4, red_from=60)
    yield Panel("Agreements end in", [(ends, "{{agreement}}")], "s", "stat", width=4, height=4)


def _variable(label: str, metric: str) -> Json:
    query = f"label_values({metric}, {label})"
    return {
        "name": label,
        "label": label.capitalize(),
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": {"query": query, "refId": label},
        "definition": query,
        "refresh": 2,
        "includeAll": True,
        "multi": False,
        "sort": 1,
    }


DASHBOARDS = {"stream": stream, "agency": agency}
