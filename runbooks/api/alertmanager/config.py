"""Our routes as Alertmanager would write them: what ``amtool config`` shows and tries. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from collectors.patterns import escape_pattern
from runbooks.alerts.labels import prometheus_name
from runbooks.alerts.matchers import Matcher, Op
from runbooks.paging.route_tree import Route, Target
from runbooks.paging.routing import Routes


def as_alertmanager(routes: Routes) -> str:
    """Return the tree of routes as a configuration of Alertmanager, in YAML.

    A receiver is named by those whom it tells. Names of labels are those that Prometheus can write.
    What only we have (schedules, tickets) is left out.
    """
    ways = {_name(routes.default), *(_name(route.targets) for route in routes.every())}
    named = {name for route in routes.every() for name in (*route.mute, *route.active)}
    written = {
        "route": {
            "receiver": _name(routes.default),
            "routes": [_route(route) for route in routes.routes],
        },
        "receivers": [{"name": name} for name in sorted(ways)],
        "time_intervals": [{"name": name, "time_intervals": []} for name in sorted(named)],
    }
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True)


def _route(route: Route) -> dict[str, Any]:
    found: dict[str, Any] = {
        "receiver": _name(route.targets),
        "matchers": [str(matcher) for matcher in _matchers(route)],
        "continue": route.goes_on,
        "mute_time_intervals": list(route.mute),
        "active_time_intervals": list(route.active),
        "repeat_interval": f"{route.repeat_ms // 1_000}s" if route.repeat_ms else "",
        "routes": [_route(child) for child in route.routes],
    }
    return {name: value for name, value in found.items() if value}


def _matchers(route: Route) -> Iterable[Matcher]:
    for matcher in route.matchers:
        yield Matcher(prometheus_name(matcher.name), matcher.op, matcher.value)
    wanted = dict(route.scope)
    if route.severities:
        wanted = {"severity": frozenset(str(one) for one in route.severities), **wanted}
    for key, values in wanted.items():
        pattern = "|".join(escape_pattern(value) for value in sorted(values))
        yield Matcher(prometheus_name(key), Op.LIKE, pattern)


def _name(targets: Iterable[Target]) -> str:
    return ", ".join(map(str, targets))
