"""The files of a starter configuration, commented for whoever reads them first."""

from __future__ import annotations

import json
import re
from fractions import Fraction

from tocsin.starting.indicator import Indicator
from tocsin.starting.seen import Seen

_OBJECTIVE = """\
# What is promised of {service}: {title}.
# How they are told apart: {why}.
# Change it as you like, then `tocsin check-config` and `tocsin reload`. The form is OpenSLO v1.
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  displayName: {display}
  annotations:
    # Each of these is optional; the value shown is the default.
    # tocsin.dev/group-by: cloud.region      # a budget of its own for each value of a tag
    # tocsin.dev/min-bad-events: "5"         # so many bad events at least before anybody is paged
    # tocsin.dev/exemplar-service: {service} # attach traces that pass through this service
spec:
  description: {description}
  service: {service}
  indicator:
    metadata:
      name: {name}-indicator
    spec:
      ratioMetric:
        counter: true
        {part_name}:
          metricSource:
            type: tocsin
            spec:
              query: {part}
        total:
          metricSource:
            type: tocsin
            spec:
              query: {total}
  timeWindow:
    - duration: {window}   # the error budget is for this long, rolling
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: {display}
      targetPercent: {target}
"""

_DETECTOR = """\
# What should stay as usual for {service}: how much it is asked. Objectives count failures; requests
# that never arrive fail nowhere. Written by `tocsin init`.
apiVersion: tocsin/v1
kind: Detector
metadata:
  name: {name}
  displayName: Requests to {service}
spec:
  expr: {total}
  unit: 1/s
  detector: level       # compares with its own recent past; `seasonal` knows days and weeks
  direction: low        # a fall; `both` also tells a rise
  urgency: ticket       # opens an incident that wakes nobody; `page` wakes
  when_missing: ticket  # and when the series stops
  scope: {{service.name: {service}}}
"""

_DASHBOARD = """\
# Charts of {service}, on the page of dashboards and on the overview. Written by `tocsin init`.
apiVersion: tocsin/v1
kind: Dashboard
metadata:
  name: {name}
  displayName: {service}
spec:
  pages: [overview]
  rows:
    - title: {service}
      panels:
        - title: Requests
          expr: {total}
          unit: 1/s
        - title: Share that fails
          expr: {share}
          unit: ratio
"""

_ROUTES = """\
# Where pages go: the first route whose match holds wins, the default takes the rest.
# Without TOCSIN_SLACK_BOT_TOKEN in the server's environment, what is for Slack goes to the console.
default:
  - {{notifier: slack, channel: {channel}}}
# Where tickets go: told once, nobody is woken. Without it they are only recorded.
tickets:
  - {{notifier: slack, channel: {channel}}}
# routes:
#   - name: minor
#     match: {{severity: [SEV3, SEV4]}}       # or a tag that findings carry, such as cloud.region
#     to:
#       - {{notifier: slack, channel: general}}
"""


def slug(text: str) -> str:
    """Return a name that documents may carry: lower-case letters, digits, dashes.

    >>> slug("Shop.Checkout/v2")
    'shop-checkout-v2'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-") or "service"


def objective(seen: Seen, indicator: Indicator, *, name: str, target: Fraction, window: str) -> str:
    """Return an OpenSLO document.

    Args:
        seen: The service.
        indicator: What is counted.
        name: Of the document.
        target: Share of good events that is promised.
        window: For how long, such as ``30d``.
    """
    percent = f"{float(target * 100):.10g}"
    title = indicator.title[:1].upper() + indicator.title[1:]
    return _OBJECTIVE.format(
        service=_quoted(seen.service),
        title=indicator.title,
        why=indicator.why,
        name=name,
        display=_quoted(f"{seen.service}: {indicator.title}"),
        description=_quoted(f"{title}, {percent} % of them over {window}; {indicator.why}."),
        part_name="bad" if indicator.part_is_bad else "good",
        part=_quoted(indicator.part),
        total=_quoted(indicator.total),
        window=window,
        target=percent,
    )


def detector(seen: Seen, indicator: Indicator) -> str:
    """Return a detector of the requests that ``indicator`` counts."""
    return _DETECTOR.format(
        service=_quoted(seen.service),
        name=f"{slug(seen.service)}-requests",
        total=_quoted(indicator.total),
    )


def dashboard(seen: Seen, indicator: Indicator) -> str:
    """Return charts of the requests that ``indicator`` counts, and of the share that fails."""
    return _DASHBOARD.format(
        service=_quoted(seen.service),
        name=slug(seen.service),
        total=_quoted(indicator.total),
        share=_quoted(f"{indicator.part},{indicator.total},:div"),
    )


def routes(channel: str) -> str:
    """Return routes whose pages go to a channel of Slack."""
    return _ROUTES.format(channel=_quoted(channel.removeprefix("#")))


def _quoted(text: str) -> str:
    """Return text for YAML: as it is where that is safe, else in quotes."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", text) and text.lower() not in _MEANT_OTHERWISE:
        return text
    return json.dumps(text, ensure_ascii=False)


_MEANT_OTHERWISE = frozenset({"true", "false", "yes", "no", "on", "off", "null", "nan", "inf"})
