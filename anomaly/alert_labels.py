"""The labels of an alert in Prometheus's form as the scope of a finding."""

from __future__ import annotations

from collections.abc import Mapping

ALERTNAME = "alertname"
_PLACES = (
    ("service.name", ("service_name", "service", "app", "job")),
    ("cloud.region", ("cloud_region", "region")),
)


def alert_scope(labels: Mapping[str, str]) -> dict[str, str]:
    """Return where an alert is: its labels, and by our names its service and region.

    >>> alert_scope({"alertname": "Down", "job": "api"})
    {'job': 'api', 'service.name': 'api'}
    """
    scope = {name: value for name, value in labels.items() if name != ALERTNAME}
    for key, names in _PLACES:
        found = next((labels[name] for name in names if labels.get(name)), None)
        if found is not None:
            scope.setdefault(key, found)
    return scope


def alert_title(name: str, labels: Mapping[str, str]) -> str:
    """Return what an alert that says nothing is called.

    >>> alert_title("Down", {"alertname": "Down", "severity": "page", "job": "api"})
    'Down (api)'
    """
    where = " · ".join(
        value for label, value in sorted(labels.items()) if label not in (ALERTNAME, "severity")
    )
    return f"{name} ({where})" if where else name
