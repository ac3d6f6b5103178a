"""Documents with queries in PromQL: what they become, and what is refused."""

from __future__ import annotations

import pytest

from anomaly.promql.written import query_in
from anomaly.rules.detector_reader import read_rules
from anomaly.slo.counting import Measure
from anomaly.slo.documents.compiler import NotHereError
from collectors.errors import DocumentError
from tests.anomaly.slo.documents.test_compiled_kinds import compiled


def metric(query: str, kind: str = "Prometheus", key: str = "query") -> str:
    return f"{{metricSource: {{type: {kind}, spec: {{{key}: '{query}'}}}}}}"


def ratio(good: str, total: str, counter: str = "true") -> str:
    return f"ratioMetric: {{counter: {counter}, good: {metric(good)}, total: {metric(total)}}}"


COUNTED = [
    ("sum(rate(a[5m]))", "sum(rate(b[5m]))", "true", True, "sum(rate(b[5m]))"),
    ("sum(rate(a[{{.window}}]))", "sum(rate(b[{{.window}}]))", "true", True, "sum(rate(b[5m]))"),
    ("sum(increase(a[1m]))", "sum(increase(b[1m]))", "true", True, "(sum(increase(b[1m]))) / 60"),
    ("sum(a)", "sum(b)", "true", True, "sum(rate(b[5m]))"),
    ("sum(a)", "sum(b)", "false", False, "sum(b)"),
    ("a", "b", "true", True, "rate(b[5m])"),
]


@pytest.mark.parametrize(("good", "total", "counter", "per_second", "asked"), COUNTED)
def test_a_query_counts_in_what_its_functions_say(
    good: str, total: str, counter: str, per_second: bool, asked: str
) -> None:
    """Increases over a minute counted in each step of 10 s would be six times the events."""
    found = compiled(ratio(good, total, counter))
    assert query_in(found.total_expr) == asked
    assert found.counter is per_second
    assert bool(found.remarks) is (
        asked.startswith(("sum(rate(b", "rate(b")) and "rate" not in good
    )


@pytest.mark.parametrize(
    ("good", "total", "words"),
    [
        ("sum(rate(a[5m]))", "sum(count_over_time(b[1m]) + increase(b[5m]))", "several lengths"),
        ("sum(rate(a[5m]))", "count(b)", "one half counts per second"),
    ],
)
def test_halves_that_do_not_count_alike_are_refused(good: str, total: str, words: str) -> None:
    """A share of events per second in events of a step would be a number without meaning."""
    with pytest.raises(NotHereError, match=words):
        compiled(ratio(good, total))


def test_groups_of_an_annotation_are_grouped_in_promql() -> None:
    """Each region has a budget of its own, whatever language it is asked in."""
    notes = "{tocsin.dev/group-by: cloud.region}"
    found = compiled(ratio("sum(rate(a[5m]))", "sum(rate(b[5m]))"), notes=notes)
    assert query_in(found.good_expr or "") == 'sum by ("cloud.region") (rate(a[5m]))'


def test_ratios_and_thresholds_are_read_as_they_stand() -> None:
    """A quantile is no count: nothing is to be divided or made a rate."""
    p99 = "histogram_quantile(0.99, sum by (le) (rate(d_bucket[5m])))"
    found = compiled(
        f"thresholdMetric: {metric(p99, 'promql', 'promql')}",
        goal="{target: 0.99, op: lte, value: 0.3}",
    )
    assert (query_in(found.total_expr), found.measure) == (p99, Measure.COMPARED)
    assert query_in(found.bad_ratio_expr) == f"({p99}) > bool 0.3"
    raw = compiled(f"ratioMetric: {{raw: {metric('ok:ratio')}, rawType: success}}")
    assert query_in(raw.bad_ratio_expr) == "1 - (ok:ratio)"


@pytest.mark.parametrize(
    ("sli", "words"),
    [
        (ratio("sum(rate(a[5m])", "b"), "can't be evaluated: .*parse error"),
        (ratio("a[5m]", "b"), "a value at each step"),
        (f"thresholdMetric: {metric('a', key='querry')}", "did you mean 'query'"),
    ],
)
def test_a_slip_in_a_query_has_its_place(sli: str, words: str) -> None:
    """Whoever writes a query learns at once what is wrong with it, and where."""
    with pytest.raises(DocumentError, match=words):
        compiled(sli, goal="{target: 0.99, op: lte, value: 0.3}")


DETECTOR = """\
apiVersion: tocsin/v1
kind: Detector
metadata: {name: errors}
spec:
  SPEC
  detector: DETECTOR
  urgency: page
"""


def read(spec: str, detector: str = "novelty") -> object:
    text = DETECTOR.replace("SPEC", spec).replace("DETECTOR", detector)
    (rule,) = read_rules(text, file="x.yaml")
    return rule


def test_a_detector_watches_the_lines_of_a_query() -> None:
    """Whoever has a query in PromQL need not translate it, nor say its groups twice."""
    rule = read("promql: 'sum by (job) (rate(errors_total[5m]))'")
    assert query_in(rule.expr) == "sum by (job) (rate(errors_total[5m]))"  # type: ignore[attr-defined]
    assert rule.group_by == ("job",)  # type: ignore[attr-defined]
    part = read(
        "promql: 'sum(rate(errors_total[5m]))'\n  of_promql: 'sum(rate(calls_total[5m]))'\n"
        "  group_by: [cluster]",
        "proportion",
    )
    assert query_in(part.of) == "sum by (cluster) (rate(calls_total[5m]))"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("unit: s", "exactly one of expr and promql"),
        ("expr: 'name,a,:eq,:sum'\n  promql: a", "exactly one of expr and promql"),
        ("promql: 'rate(a'", "parse error"),
    ],
)
def test_a_detector_asks_one_thing(spec: str, words: str) -> None:
    """Two expressions would leave open which of them is watched."""
    with pytest.raises(DocumentError, match=words):
        read(spec)
