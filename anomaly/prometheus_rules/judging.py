"""The elements of an alert's expression move its alerts on. Pure.

Semantics: Prometheus's ``rules/alerting.go``. An element that is there is pending, and fires once
it has been there for as long as the rule says. One that is gone ends, unless the rule keeps it
firing for a while.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from anomaly.prometheus_rules.group import AlertingRule
from anomaly.prometheus_rules.states import ActiveAlert, AlertState, LabelKey, key_of
from anomaly.prometheus_rules.templates.expanding import Speech, expanded
from collectors.errors import InputError

ALERT_NAME = "alertname"
NAME = "__name__"

MAX_ALERTS_OF_RULE = 10_000
"""Alerts of one rule that are pending or fire."""


class RuleError(InputError):
    """A rule can't be evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What an expression has: a label set, ``__name__`` too where it is kept, and a value."""

    labels: Mapping[str, str]
    value: float


def judged(
    rule: AlertingRule,
    before: Mapping[LabelKey, ActiveAlert],
    elements: Sequence[Element],
    now_ms: int,
    speech: Speech,
) -> dict[LabelKey, ActiveAlert]:
    """Return the alerts that are pending or fire, given what the expression has now.

    Args:
        rule: The rule.
        before: Its alerts so far.
        elements: What its expression has.
        now_ms: The time of the evaluation, epoch milliseconds.
        speech: What its templates may speak of.

    Raises:
        RuleError: Two elements make the same alert, or there are too many.
    """
    if len(elements) > MAX_ALERTS_OF_RULE:
        raise RuleError(
            f"{len(elements)} alerts, at most {MAX_ALERTS_OF_RULE} of a rule: aggregate first"
        )
    present = _present(rule, elements, now_ms, speech)
    after: dict[LabelKey, ActiveAlert] = {}
    for key, known in before.items():
        found = present.pop(key, None)
        if found is not None:
            moved = replace(
                known,
                value=found.value,
                annotations=found.annotations,
                element=found.element,
                kept_ms=0,
            )
            after[key] = _fired(rule, moved, now_ms)
        elif known.state is AlertState.FIRING and rule.keep_firing_for_ms > 0:
            since_ms = known.kept_ms or now_ms
            if now_ms - since_ms < rule.keep_firing_for_ms:
                after[key] = replace(known, kept_ms=since_ms)
    after |= {key: _fired(rule, found, now_ms) for key, found in present.items()}
    return after


def _fired(rule: AlertingRule, alert: ActiveAlert, now_ms: int) -> ActiveAlert:
    if alert.state is AlertState.PENDING and now_ms - alert.active_ms >= rule.for_ms:
        return replace(alert, state=AlertState.FIRING, fired_ms=now_ms)
    return alert


def _present(
    rule: AlertingRule, elements: Sequence[Element], now_ms: int, speech: Speech
) -> dict[LabelKey, ActiveAlert]:
    found: dict[LabelKey, ActiveAlert] = {}
    for element in elements:
        plain = {name: value for name, value in element.labels.items() if name != NAME}

        def filled(text: str, element: Element = element) -> str:
            return expanded(text, element.labels, element.value, speech)

        own = {name: filled(text) for name, text in rule.labels.items()}
        labels = {**plain, **own, ALERT_NAME: rule.alert}
        labels = {name: value for name, value in labels.items() if value}
        key = key_of(labels)
        if key in found:
            raise RuleError(
                "vector contains metrics with the same labelset after applying alert labels"
            )
        found[key] = ActiveAlert(
            labels=labels,
            element=plain,
            annotations={name: filled(text) for name, text in rule.annotations.items()},
            value=element.value,
            state=AlertState.PENDING,
            active_ms=now_ms,
        )
    return found
