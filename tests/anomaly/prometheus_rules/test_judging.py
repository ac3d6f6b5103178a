"""Alerts are pending, fire, are kept and end as in Prometheus."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.prometheus_rules.evaluating import Manner, evaluated, fresh_state
from anomaly.prometheus_rules.group import AlertingRule, RecordingRule, RuleGroup
from anomaly.prometheus_rules.judging import Element, RuleError, judged
from anomaly.prometheus_rules.measuring import Measured, unconditional, wanted_selectors
from anomaly.prometheus_rules.remembering import row_of, state_of
from anomaly.prometheus_rules.states import ActiveAlert, GroupState, Health, LabelKey
from anomaly.prometheus_rules.templates.expanding import Speech
from anomaly.prometheus_rules.templates.functions import Surroundings
from anomaly.prometheus_rules.unit_tests.memory import MemoryStore
from collectors.promql.language.parsing import parse
from collectors.promql.language.printing import text_of

SPEECH = Speech(around=Surroundings(query=lambda _: []))
RULE = AlertingRule(
    alert="Down", expr="up == 0", for_ms=2, keep_firing_for_ms=3, labels={"who": "{{ $labels.i }}"}
)


def course(presence: str, rule: AlertingRule = RULE) -> str:
    """States of one alert over time: ``.`` none, ``p`` pending, ``F`` firing."""
    alerts: dict[LabelKey, ActiveAlert] = {}
    found = ""
    for now_ms, there in enumerate(presence, start=1):
        elements = [Element(labels={"i": "a"}, value=0.0)] if there == "x" else []
        alerts = judged(rule, alerts, elements, now_ms, SPEECH)
        (state,) = [one.state.value[0] for one in alerts.values()] or ["."]
        found += state.upper() if state == "f" else state
    return found


@pytest.mark.parametrize(
    ("presence", "states"),
    [
        ("xxxx", "ppFF"),
        ("xx.xxx", "pp.ppF"),  # missing once begins anew
        ("xxx...x..", "ppFFFFFFF"[:5] + "F" + "FFF"),
        ("xxx.....", "ppFFFF.."),  # kept for three, and over then
        ("......", "......"),
    ],
)
def test_states_follow_the_elements(presence: str, states: str) -> None:
    """An alert would fire at another time than in Prometheus."""
    assert course(presence) == states


def test_two_elements_of_one_alert_are_an_error() -> None:
    """One of two alerts would hide the other."""
    rule = AlertingRule(alert="Down", expr="up", labels={"i": "same"})
    elements = [Element(labels={"i": one}, value=0.0) for one in "ab"]
    with pytest.raises(RuleError, match="same labelset"):
        judged(rule, {}, elements, 1, SPEECH)


def test_rules_of_a_group_see_what_those_before_them_wrote() -> None:
    """An alert over a recorded series would be an evaluation late."""
    group = RuleGroup(
        group="g",
        file="f",
        rules=(
            RecordingRule(record="twice", expr="up * 2", labels={"x": "y"}),
            AlertingRule(alert="Two", expr="twice == 2"),
        ),
    )
    store = MemoryStore()
    store.source.add({"__name__": "up", "i": "a"}, [1_000], [1.0])
    state = evaluated(group, fresh_state(group), store, 1_000, Manner())
    (alert,) = state.rules[1].alerts.values()
    assert alert.labels == {"alertname": "Two", "i": "a", "x": "y"}


def test_a_rule_over_its_limit_fails_and_has_no_alerts() -> None:
    """A flood of alerts that the limit was for would be let through."""
    group = RuleGroup(group="g", file="f", limit=1, rules=(AlertingRule(alert="A", expr="up"),))
    store = MemoryStore()
    for one in "ab":
        store.source.add({"__name__": "up", "i": one}, [1_000], [1.0])
    state = evaluated(group, fresh_state(group), store, 1_000, Manner())
    assert state.rules[0].health is Health.ERROR
    assert state.rules[0].error == "exceeded limit of 1 with 2 alerts"
    assert not state.rules[0].alerts


@given(st.lists(st.sampled_from(["", "a", "b", "ab"]), max_size=12))
def test_a_state_is_the_same_after_a_restart(presence: list[str]) -> None:
    """Alerts would be pending anew, or series not be ended, after a restart."""
    rules = (RULE, RecordingRule(record="r", expr="up"))
    group = RuleGroup(group="g", file="f", rules=rules)
    store, kept, anew = MemoryStore(), fresh_state(group), fresh_state(group)
    for now_ms, there in enumerate(presence, start=1):
        for one in "ab":
            value = 0.0 if one in there else 1.0
            store.source.add({"__name__": "up", "i": one}, [now_ms], [value])
        kept = evaluated(group, kept, store, now_ms, Manner())
        anew, _, orphans = state_of(group, row_of(group, anew, {}))
        anew = evaluated(group, anew, store, now_ms, Manner())
        assert not orphans
    assert row_of(group, anew, {}) | {"took": 0} == row_of(group, kept, {}) | {"took": 0}


def test_a_group_that_changed_keeps_the_alerts_of_rules_that_did_not() -> None:
    """Every change of a file would begin all of its alerts anew."""
    before = RuleGroup(group="g", file="f", rules=(RecordingRule(record="r", expr="up"), RULE))
    store = MemoryStore()
    store.source.add({"__name__": "up", "i": "a"}, [1], [0.0])
    state = evaluated(before, fresh_state(before), store, 1, Manner())
    after = RuleGroup(group="g", file="f", rules=(RULE,))
    found, _, orphans = state_of(after, row_of(before, state, {}))
    assert isinstance(found, GroupState)
    assert found.rules[0].alerts == state.rules[1].alerts
    assert orphans == ((("__name__", "r"), ("i", "a")),)


@pytest.mark.parametrize(
    ("expr", "without"),
    [
        ("up == 0", "up"),
        ("3 < sum by (a) (x > 1)", "sum by (a) (x)"),
        ("a / b > 1 and on () c == 0", "a / b"),
        ("max_over_time((x > 1)[5m:])", "max_over_time((x)[5m:])"),
        ("absent(up) == 1", None),
        ("presence_itself", None),
        ("x > bool 1", None),
    ],
)
def test_conditions_are_left_out(expr: str, without: str | None) -> None:
    """An alert whose data stopped would pass for one that is over, or the other way round."""
    found = unconditional(parse(expr))
    assert (None if found is None else text_of(found)) == without


LABEL_SETS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"))


@given(LABEL_SETS, st.lists(LABEL_SETS, max_size=4))
def test_what_is_measured_agrees_in_all_labels_of_both(
    element: dict[str, str], found: list[dict[str, str]]
) -> None:
    """An alert would pass for one that is over since another instance is measured."""
    named = [Element(labels={**labels, "__name__": "up"}, value=1.0) for labels in found]
    agrees = any(
        all(one.get(name, value) == value for name, value in element.items()) for one in found
    )
    assert (element in Measured(named)) == agrees


def test_selectors_whose_absence_is_meant_are_not_wanted() -> None:
    """Everybody with `absent()` in a rule would be told that it asks for nothing."""
    expr = "(a > 1 unless b) and absent(c) == 1 or d"
    assert [one.name for one in wanted_selectors(parse("a > 1 unless b"))] == ["a"]
    assert [one.name for one in wanted_selectors(parse("absent(c)"))] == []
    assert [one.name for one in wanted_selectors(parse(expr))] == []
