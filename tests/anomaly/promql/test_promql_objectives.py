"""Objectives whose halves are asked in PromQL are judged by the rules of all others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from anomaly.findings import FindingKind, Urgency
from anomaly.promql.written import as_expression
from anomaly.slo.objective import Objective
from tests.anomaly.engine.test_late_data import START_MS, Export, exports, objective, world

GOOD = as_expression("sum by (zone) (rate(good[1m]))")
TOTAL = as_expression("sum by (zone) (rate(total[1m]))")


def promised(good: str = GOOD, total: str = TOTAL) -> Objective:
    return objective(good, total)


def test_an_outage_pages_and_a_restart_changes_nothing() -> None:
    """If PromQL objectives forgot at a restart, an outage would look over when we were updated."""
    told = exports("one", 10_000, [0], range(300, 500))
    with world(promised()) as steady, world(promised()) as restarted:
        steady.run(told, START_MS + 560_000)
        restarted.run(told, START_MS + 560_000, START_MS + 420_000)
        (page, *_) = [f for f in steady.sink.received if f.urgency is Urgency.PAGE]
        assert page.kind is FindingKind.SLO_BURN
        assert page.detected_ms - (START_MS + 300_000) <= 60_000
        assert page.expression.endswith(",:promql")
        assert 'zone="a"' in page.expression
        assert restarted.row() == steady.row()
        assert restarted.open() == steady.open()


def test_a_late_half_in_promql_is_no_failure() -> None:
    """Good events that come 25 s late would make the rate of good ones fall by themselves."""
    total = exports("all", 10_000, [0], range(0), names=("total",), until_ms=600_000)
    good = exports("good", 10_000, [0], range(0), names=("good",), until_ms=600_000)
    held = [
        export
        if not 400_000 <= export.time_ms - START_MS < 430_000
        else Export(START_MS + 431_000, export.time_ms, export.values, export.tags)
        for export in good
    ]
    with world(promised()) as found:
        found.run(total + held, START_MS + 560_000)
        assert found.sink.received == []
        assert found.row()[0] == pytest.approx(1.0)


def test_a_half_in_promql_that_stays_away_is_not_known() -> None:
    """The rate of a silent sender runs out slowly, which must not be read as failing slowly."""
    total = exports("all", 10_000, [0], range(0), names=("total",), until_ms=600_000)
    good = exports("good", 10_000, [0], range(0), names=("good",), until_ms=300_000)
    with world(promised()) as found:
        found.run(total + good, START_MS + 590_000)
        kinds = {(f.kind, f.urgency) for f in found.sink.received}
        assert kinds == {(FindingKind.NO_DATA, Urgency.PAGE)}
        assert found.row()[0] == pytest.approx(1.0)


def test_scrapes_of_a_minute_are_no_silence() -> None:
    """A scraper that speaks once in six steps would leave five of them unknown."""
    told = exports("all", 60_000, [0], range(0), names=("total",)) + exports(
        "good", 60_000, [0], range(0), names=("good",)
    )
    wide = promised(GOOD.replace("1m", "5m"), TOTAL.replace("1m", "5m"))
    with world(wide) as found:
        found.run(told, START_MS + 880_000)
        assert found.sink.received == []
        assert found.row()[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"total_expr": as_expression("sum by (zone) (rate(totl[1m]))")}, "slo/shop/no-data"),
        (
            {"good_expr": None, "bad_expr": as_expression("sum by (zone) (rate(fialed[1m]))")},
            "slo/shop/part-unknown",
        ),
    ],
)
def test_queries_that_never_matched_are_told(changed: dict[str, str], rule: str) -> None:
    """A slip in a query would otherwise be kept for ever, or never be measured."""
    with world(replace(promised(), **changed)) as found:  # type: ignore[arg-type]
        found.run(exports("all", 10_000, [0], range(0)), START_MS + 700_000)
        assert {f.rule for f in found.engine.findings()} == {rule}


def test_a_query_that_can_not_be_answered_is_shown_with_its_reason() -> None:
    """An objective that silently has no data is worse than one that says why."""
    many = as_expression('label_replace(total, "zone", "x", "instance", ".*") + on(zone) good')
    with world(promised(total=many)) as found:
        told = exports("one", 10_000, [0], range(0)) + exports("two", 10_000, [0], range(0))
        found.run(told, START_MS + 100_000)
        (row, *_) = found.engine.rows("slos")
        assert any("can't be evaluated" in reason for reason in row["reasons"])
