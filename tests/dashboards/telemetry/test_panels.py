"""Which charts tell of a service, and that the language accepts every one of them."""

from __future__ import annotations

import numpy as np
import pytest

from collectors.stacklang.evaluation.batch import evaluate, parse
from collectors.stacklang.lines.database import Window
from collectors.stacklang.testing.memory import MemoryDatabase
from dashboards.telemetry.instruments import instruments_of
from dashboards.telemetry.saturation import GAUGES, MAX_SHOWN
from dashboards.telemetry.service_panels import (
    pulse_panels,
    red_panels,
    saturation_panels,
    side_panels,
)
from dashboards.telemetry.services import figure_queries, services_of
from dashboards.telemetry.watched import objectives_of, rules_of
from tests.dashboards.telemetry.test_services import tags, timer
from tocsin.client.conventions import CONVENTIONS
from tocsin.client.stack_words import equals, literal, ratio

ODD = 'a,b (c):d\\e/*"'
METRICS = {
    "http.server.request.duration": timer(
        "shop", ODD, http__route=["/a"], http__response__status_code=["200"]
    ),
    "rpc.client.duration": timer("shop"),
    "messaging.process.duration": timer("mailer", messaging__destination__name=["mails"]),
    "messaging.publish.duration": timer("shop"),
    "db.client.operation.duration": timer("shop", db__operation__name=["SELECT"]),
    "http_request_duration_seconds_count": tags(job=["api"], le=["1"]),
    "http_requests_total": tags(job=["api"], code=["200"], handler=["/x"]),
}
NAN = float("nan")


def test_each_side_of_a_service_has_its_charts() -> None:
    """Calls that a service makes would be drawn as if it had served them."""
    services = {one.name: one for one in services_of(instruments_of(METRICS), None)}
    titles = {
        side: [panel.title for panel in panels]
        for side, panels in side_panels(services["shop"]).items()
    }
    assert titles == {
        "Served": [
            "HTTP requests a second by http.route",
            "Errors of HTTP requests",
            "Duration of HTTP requests",
        ],
        "Calls made": [
            "RPC calls made a second",
            "Errors of RPC calls made",
            "Duration of RPC calls made",
        ],
        "Sent": [
            "Messages sent a second",
            "Errors of messages sent",
            "Duration of messages sent",
        ],
        "Database": [
            "Database operations a second by db.operation.name",
            "Errors of database operations",
            "Duration of database operations",
        ],
    }
    assert list(side_panels(services["mailer"])) == ["Consumed"]


def test_what_one_instrument_can_not_tell_another_does() -> None:
    """A histogram without a status would hide the counter that has one."""
    api = next(one for one in services_of(instruments_of(METRICS), None) if one.name == "api")
    traffic, errors, duration = red_panels("api", api.instruments)
    assert "http_request_duration_seconds_count" in traffic.expression
    assert "http_requests_total" in errors.expression
    assert "http_request_duration_seconds_sum" in duration.expression


def test_buckets_give_percentiles_and_a_summary_its_mean() -> None:
    """Who has buckets would see a mean, which hides the slow; who has none an empty chart."""
    name = "http_request_duration_seconds_count"
    metrics = {name: tags(job=["api"])}
    with_buckets = instruments_of(metrics, {name})
    duration = red_panels("api", with_buckets)[-1]
    assert duration.ranks == (50, 95, 99)
    assert parse(duration.expression)
    assert duration.expression.startswith("name,http_request_duration_seconds_bucket,:eq")
    assert red_panels("api", instruments_of(metrics))[-1].title == "Mean duration of requests"
    assert pulse_panels(services_of(with_buckets, None), most=1)[1].ranks == (99,)


def test_without_a_status_there_is_no_chart_of_errors() -> None:
    """A line at 0 % would say that nothing failed although nobody tells."""
    metrics = {"http_requests_total": tags(job=["api"])}
    service = services_of(instruments_of(metrics), None)[0]
    assert [panel.unit for panel in red_panels("api", service.instruments)] == ["1/s"]


def test_every_expression_is_accepted() -> None:
    """A convention whose expression is refused would be an error on somebody's page."""
    instruments = instruments_of(METRICS)
    services = services_of(instruments, None)
    panels = [p for one in services for some in side_panels(one).values() for p in some]
    panels += pulse_panels(services, most=9)
    rows = [{"name": name, "unit": "", "series": 1} for name in GAUGES]
    panels += saturation_panels(ODD, rows)  # type: ignore[arg-type] # typed dictionaries
    for expression in [*(panel.expression for panel in panels), *figure_queries(instruments)]:
        assert parse(expression)


def test_every_convention_matches_itself_before_a_wider_one() -> None:
    """A row that an earlier one swallows is never used."""
    samples = {
        "http_client_request_duration_seconds_count": "HTTP calls",
        "rpc_server_duration_seconds_count": "RPC calls",
        "grpc_server_handled_total": "gRPC calls",
        "requests_total": "requests",
        "request_latency_seconds_count": "requests",
        "messaging.client.operation.duration": "messages sent",
    }
    for name, noun in samples.items():
        assert next(c.noun for c in CONVENTIONS if c.names.fullmatch(name)) == noun


@pytest.mark.parametrize(
    ("failed", "whole", "expected"),
    [
        ([1.0, 0.0], [4.0, 4.0], [0.25, 0.0]),
        (None, [4.0, 4.0], [0.0, 0.0]),
        ([1.0, NAN], [4.0, 4.0], [0.25, 0.0]),
        ([1.0, 1.0], [4.0, NAN], [0.25, NAN]),
        (None, [NAN, NAN], [NAN, NAN]),
    ],
)
def test_no_data_is_a_gap_and_no_failure_is_zero(
    failed: list[float] | None, whole: list[float], expected: list[float]
) -> None:
    """A service that is silent would be drawn as one that never fails."""
    database = MemoryDatabase(step_ms=60_000)
    database.add({"name": "all"}, start_ms=60_000, values=whole)
    if failed is not None:
        database.add({"name": "bad"}, start_ms=60_000, values=failed)
    window = Window(start_ms=60_000, end_ms=120_000, step_ms=60_000)
    found = evaluate(ratio("name,bad,:eq,:sum", "name,all,:eq,:sum"), database, window)
    np.testing.assert_array_equal(found.values[0], expected)


@pytest.mark.parametrize("value", [ODD, "(", "a b", "x/*y", "größe", "/v1/{id}", ":eq"])
def test_a_value_with_the_languages_own_signs_stays_a_value(value: str) -> None:
    """A service called ``a,b`` would turn its page into a syntax error, or into another query."""
    database = MemoryDatabase(step_ms=60_000)
    database.add({"name": "m", "app": value}, start_ms=60_000, values=[3.0])
    database.add({"name": "m", "app": "other"}, start_ms=60_000, values=[5.0])
    window = Window(start_ms=60_000, end_ms=60_000, step_ms=60_000)
    found = evaluate(f"{equals('app', value)},:sum", database, window)
    assert found.values.tolist() == [[3.0]]
    assert "," not in literal(value)


def test_saturation_is_what_is_there_each_thing_once() -> None:
    """Eight charts of memory would hide the processor."""
    names = ["process.memory.usage", "process_resident_memory_bytes", "jvm.thread.count", "mine"]
    rows = [{"name": name, "unit": "", "series": 1} for name in names]
    panels = saturation_panels("shop", rows)  # type: ignore[arg-type] # typed dictionaries
    assert [panel.title for panel in panels] == ["Memory", "JVM threads"]
    every = [{"name": name, "unit": "", "series": 1} for name in GAUGES]
    assert len(saturation_panels("shop", every)) == MAX_SHOWN  # type: ignore[arg-type] # as above


def test_rules_belong_to_the_service_that_they_name() -> None:
    """A service's page would show somebody else's objective, or miss its own."""
    slo = {"service": "x", "scope": {}, "total_expr": "name,m,:eq,:sum"}
    rows = [
        slo | {"service": "shop"},
        slo | {"scope": {"service.name": "shop"}},
        slo | {"total_expr": "name,m,:eq, service.name,shop,:eq,:and,:sum"},
        slo | {"total_expr": "name,m,:eq,service.name,shopping,:eq,:and,:sum"},
    ]
    assert objectives_of("shop", rows) == rows[:3]  # type: ignore[arg-type, comparison-overlap] # as above
    rules = [{"scope": {}, "expr": "job,shop,:eq,:sum"}, {"scope": {}, "expr": "job,x,:eq,:sum"}]
    assert rules_of("shop", rules) == rules[:1]  # type: ignore[arg-type, comparison-overlap] # as above
