"""HTTP: ``/api/v1/rules`` and ``/api/v1/alerts``, as Prometheus answers them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from anomaly.engine.engine import Engine
from anomaly.prometheus_rules.evaluating import parsed_rule
from anomaly.prometheus_rules.group import AlertingRule, GroupedRule
from anomaly.prometheus_rules.group_rule import GroupRule
from anomaly.prometheus_rules.group_view import state_word
from anomaly.prometheus_rules.states import ActiveAlert, RuleState
from collectors.api.prometheus.forms import BadParameterError, Form
from collectors.api.prometheus.replies import answering, success_of
from collectors.api.work.workers import Workers
from collectors.promql.labels.matchers import Matcher
from collectors.promql.language.numbers import number_text
from collectors.promql.language.printing import text_of

_NEVER = "0001-01-01T00:00:00Z"
_TRUTHS = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False, "": False}
_TYPES = {"": None, "alert": "alerting", "record": "recording"}


def prometheus_rule_routes(engine: Engine, workers: Workers) -> list[Route]:
    """Return the routes that tell of rule files as Prometheus does."""

    def groups() -> list[GroupRule]:
        found = engine.rules(GroupRule.kind)
        return sorted(
            (one for one in found if isinstance(one, GroupRule)),
            key=lambda one: (_file(one), one.group.group),
        )

    answers = {"rules": _rules_answer(groups), "alerts": _alerts_answer(groups)}
    return [
        Route(f"/api/v1/{path}", answering(answer, workers), methods=["GET"])
        for path, answer in answers.items()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which rules are asked for; empty is all."""

    kind: str | None
    names: frozenset[str]
    groups: frozenset[str]
    files: frozenset[str]
    matchers: Sequence[tuple[Matcher, ...]]
    alerts: bool

    @classmethod
    def of(cls, form: Form) -> _Wanted:
        kind = form.text("type").lower()
        if kind not in _TYPES:
            raise BadParameterError(f'invalid parameter "type": not supported value "{kind[:80]}"')
        exclude = form.text("exclude_alerts").lower()
        if exclude not in _TRUTHS:
            told = f'not supported value "{exclude[:80]}"'
            raise BadParameterError(f'invalid parameter "exclude_alerts": {told}')
        return cls(
            kind=_TYPES[kind],
            names=frozenset(form.all("rule_name[]")),
            groups=frozenset(form.all("rule_group[]")),
            files=frozenset(form.all("file[]")),
            matchers=form.selectors(required=False),
            alerts=not _TRUTHS[exclude],
        )

    @property
    def filters(self) -> bool:
        return bool(self.kind or self.names or self.matchers)

    def group(self, one: GroupRule) -> bool:
        if self.groups and one.group.group not in self.groups:
            return False
        return not self.files or bool(self.files & {_file(one), one.group.file})

    def rule(self, rule: GroupedRule) -> bool:
        kind = "alerting" if isinstance(rule, AlertingRule) else "recording"
        if (self.names and rule.name not in self.names) or self.kind not in (None, kind):
            return False
        return not self.matchers or any(
            all(one.holds([rule.labels.get(one.name, "")])[0] for one in several)
            for several in self.matchers
        )


def _rules_answer(groups: Callable[[], list[GroupRule]]) -> Callable[[Form, Request], Response]:
    def answer(form: Form, request: Request) -> Response:
        del request
        wanted, most = _Wanted.of(form), _most(form)
        rows, more = _page(_rows(groups(), wanted), most, form.text("group_next_token"))
        body: dict[str, Any] = {"groups": rows}
        return success_of({**body, "groupNextToken": more} if more else body)

    return answer


def _alerts_answer(groups: Callable[[], list[GroupRule]]) -> Callable[[Form, Request], Response]:
    def answer(form: Form, request: Request) -> Response:
        del form, request
        alerts = [
            _alert_row(alert)
            for one in groups()
            for known in one.standing.state.rules
            for alert in known.alerts.values()
        ]
        return success_of({"alerts": alerts})

    return answer


def _most(form: Form) -> int:
    given = form.text("group_limit")
    if not given:
        if form.text("group_next_token"):
            raise BadParameterError(
                'invalid parameter "group_next_token": group_limit needs to be present in order '
                "to paginate over the groups"
            )
        return 0
    if not (given.isascii() and given.isdigit() and 0 < len(given) < 10 and int(given)):
        raise BadParameterError(
            f'invalid parameter "group_limit": must be a positive number, got "{given[:80]}"'
        )
    return int(given)


def _rows(groups: Sequence[GroupRule], wanted: _Wanted) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in groups:
        if not wanted.group(one):
            continue
        row = _group_row(one, wanted)
        if row["rules"] or not wanted.filters:
            yield _token(one), row


def _page(
    rows: Iterator[tuple[str, dict[str, Any]]], most: int, token: str
) -> tuple[list[dict[str, Any]], str]:
    """Return the rows from a token on, and that of the next page, empty without one."""
    found: list[dict[str, Any]] = []
    begun = not token
    for own, row in rows:
        begun = begun or own == token
        if most and len(found) == most:
            return found, own
        found += [row] if begun else []
    if not begun:
        raise BadParameterError(
            f"invalid group_next_token '{token[:80]}'. were rule groups changed?"
        )
    return found, ""


def _token(one: GroupRule) -> str:
    text = f"{_file(one)};{one.group.group}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _file(one: GroupRule) -> str:
    return one.group.source.rpartition(":")[0] or one.group.file


def _group_row(one: GroupRule, wanted: _Wanted) -> dict[str, Any]:
    state, group = one.standing.state, one.group
    return {
        "name": group.group,
        "file": _file(one),
        "rules": [
            _rule_row(rule, known, wanted)
            for rule, known in zip(group.rules, state.rules, strict=True)
            if wanted.rule(rule)
        ],
        "interval": one.interval_ms / 1000,
        "limit": group.limit,
        "evaluationTime": state.took_s,
        "lastEvaluation": _moment(state.evaluated_ms),
    }


def _rule_row(rule: GroupedRule, known: RuleState, wanted: _Wanted) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": rule.name,
        "query": text_of(parsed_rule(rule.expr)),
        "labels": dict(rule.labels),
        "health": known.health.value,
        "evaluationTime": known.took_s,
        "lastEvaluation": _moment(known.evaluated_ms),
    }
    if known.error:
        row["lastError"] = known.error
    if not isinstance(rule, AlertingRule):
        return {**row, "type": "recording"}
    alerts = [*known.alerts.values()]
    return {
        "state": state_word(alerts),
        **row,
        "duration": rule.for_ms / 1000,
        "keepFiringFor": rule.keep_firing_for_ms / 1000,
        "annotations": dict(rule.annotations),
        "alerts": [_alert_row(alert) for alert in alerts] if wanted.alerts else [],
        "type": "alerting",
    }


def _alert_row(alert: ActiveAlert) -> Mapping[str, Any]:
    row = {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state.value,
        "activeAt": _moment(alert.active_ms),
        "value": _scientific(alert.value),
    }
    return {**row, "keepFiringSince": _moment(alert.kept_ms)} if alert.kept_ms else row


def _scientific(value: float) -> str:
    """Return a number with an exponent, as few digits as give it again.

    >>> _scientific(1.0), _scientific(0.0125), _scientific(float("inf"))
    ('1e+00', '1.25e-02', '+Inf')
    """
    if value != value or value in (float("inf"), float("-inf")):
        return number_text(value)
    for digits in range(18):
        text = f"{value:.{digits}e}"
        if float(text) == value:
            return text
    return repr(value)


def _moment(time_ms: int) -> str:
    if not time_ms:
        return _NEVER
    moment = datetime.fromtimestamp(time_ms / 1000, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    part = f".{time_ms % 1000:03d}".rstrip("0") if time_ms % 1000 else ""
    return f"{text}{part}Z"
