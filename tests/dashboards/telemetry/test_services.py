"""Services from answers: which there are, their figures, and what was not measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from dashboards.telemetry.instruments import Instrument, instrument_of, instruments_of
from dashboards.telemetry.services import Figures, figure_queries, figures_of, services_of
from tocsin.client.graphs import Graph, Line
from tocsin.client.metric_shapes import MetricTags
from tocsin.client.shapes import ServiceMap

NAN = float("nan")


def tags(**values: Sequence[str]) -> MetricTags:
    """Return tags with these values; ``__`` in a key stands for a dot."""
    return {
        "series": 9,
        "counted": 9,
        "units": {},
        "tags": [
            {
                "key": key.replace("__", "."),
                "values": len(known),
                "series": 9,
                "top": [{"value": value, "series": 1} for value in known],
            }
            for key, known in values.items()
        ],
    }


def timer(*services: str, **more: Sequence[str]) -> MetricTags:
    """Return the tags of a histogram of seconds that OTLP brought."""
    statistics = ("count", "percentile", "totalTime")
    return tags(service__name=services, statistic=statistics, percentile=("T01",), **more)


def graph(key: str, **newest: float) -> Graph:
    """Return a line a service with the value given, but for the newest step."""
    lines = tuple(
        Line(label=name, tags={key: name}, values=np.array([value, value, NAN]))
        for name, value in newest.items()
    )
    return Graph(start_ms=0, step_ms=5_000, lines=lines)


SPANS: ServiceMap = {
    "services": ["till", "web"],
    "edges": [
        {"client": "web", "server": "till", "calls": 600, "errors": 60, "p50_ms": 5, "p99_ms": 80},
        {"client": "user", "server": "web", "calls": 300, "errors": 0, "p50_ms": 5, "p99_ms": 900},
    ],
}


@pytest.mark.parametrize(
    ("name", "found", "service_key", "told", "percentiles"),
    [
        (
            "http.server.request.duration",
            timer("a", http__response__status_code=["200"]),
            "service.name",
            True,
            True,
        ),
        ("http.server.request.duration", timer("a"), "service.name", False, True),
        ("rpc.server.duration", timer("a"), "service.name", True, True),
        ("messaging.process.duration", timer("a"), "service.name", True, True),
        ("db.client.operation.duration", timer("a"), "service.name", True, True),
        ("http_requests_total", tags(job=["a"], code=["200"]), "job", True, False),
        ("myapp_http_requests_total", tags(job=["a"]), "job", False, False),
        ("http_request_duration_seconds_count", tags(job=["a"]), "job", False, False),
        (
            "http_server_requests_seconds_count",
            tags(job=["a"], status=["500"]),
            "job",
            True,
            False,
        ),
        (
            "http_server_request_duration_seconds_count",
            tags(service_name=["a"], job=["x"], http_response_status_code=["200"]),
            "service_name",
            True,
            False,
        ),
    ],
)
def test_an_instrument_is_recognised_by_name_and_read_by_its_tags(
    name: str, found: MetricTags, service_key: str, told: bool, percentiles: bool
) -> None:
    """An ordinary service would not appear, or failures that nobody tells would be shown as 0."""
    one = instrument_of(name, found)
    assert one is not None
    assert one.services == ("a",)
    assert (one.service_key, one.tells_failures, one.percentiles) == (
        service_key,
        told,
        percentiles,
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("orders", timer("a")),
        ("http.server.request.duration.extra", timer("a")),
        ("http.server.request.duration", tags(statistic=["count"])),
        ("http_requests_total_created", tags(job=["a"])),
    ],
)
def test_what_follows_no_convention_or_names_no_service_is_none(
    name: str, found: MetricTags
) -> None:
    """Anybody's own metric would be drawn as requests."""
    assert instrument_of(name, found) is None


def test_services_come_from_metrics_and_from_spans() -> None:
    """A service that only one of the two knows would be missing."""
    metrics = instruments_of({"http.server.request.duration": timer("shop", "web")})
    found = {one.name: one for one in services_of(metrics, SPANS)}
    assert list(found) == ["shop", "till", "web"]
    assert [edge["client"] for edge in found["till"].called_by] == ["web"]
    assert [edge["server"] for edge in found["web"].calls] == ["till"]
    assert found["shop"].instruments == metrics


def test_no_answer_about_spans_is_no_service_lost() -> None:
    """While the trace store is away, what metrics tell must stay."""
    metrics = instruments_of({"rpc.server.duration": timer("shop")})
    assert [one.name for one in services_of(metrics, None)] == ["shop"]


@pytest.fixture(name="requests")
def _requests() -> Instrument:
    found = timer("shop", "web", "idle", http__response__status_code=["200", "500"])
    return instruments_of({"http.server.request.duration": found})[0]


def test_figures_are_the_newest_and_a_failure_that_never_was_is_zero(
    requests: Instrument,
) -> None:
    """Traffic without a failed series is 0 % failed; no traffic is not measured, not 0."""
    traffic, failures, p99 = figure_queries([requests])
    graphs = {
        traffic: graph("service.name", shop=20.0, web=5.0),
        failures: graph("service.name", shop=5.0),
        p99: graph("service.name", shop=0.25),
    }
    services = services_of([requests], None)
    figures = {row.service: row for row in figures_of(services, graphs)}
    assert figures["shop"] == Figures(
        service="shop",
        traffic=20.0,
        error_ratio=0.25,
        duration_s=0.25,
        duration_kind="p99",
        source="HTTP requests",
    )
    assert (figures["web"].error_ratio, figures["web"].duration_s) == (0.0, None)
    assert (figures["idle"].traffic, figures["idle"].error_ratio) == (None, None)


def test_failures_that_were_not_answered_are_not_zero(requests: Instrument) -> None:
    """While the server can't say how much failed, the page must not say that nothing did."""
    traffic, *_ = figure_queries([requests])
    row = figures_of(services_of([requests], None), {traffic: graph("service.name", shop=1.0)})[1]
    assert (row.service, row.traffic, row.error_ratio) == ("shop", 1.0, None)


def test_spans_tell_of_a_service_without_metrics() -> None:
    """Somebody who sends traces only would see nothing of the service."""
    till, web = figures_of(services_of([], SPANS), {}, seconds=300)
    assert (till.traffic, till.error_ratio, till.duration_s) == (2.0, 0.1, 0.08)
    assert (web.traffic, web.error_ratio, web.source) == (1.0, 0.0, "spans")


def test_a_step_that_is_still_filling_does_not_mislead(requests: Instrument) -> None:
    """The answers were asked for one after the other: the newest step is of two moments."""
    traffic, failures, _ = figure_queries([requests])

    def line(*values: float) -> Graph:
        one = Line(label="", tags={"service.name": "shop"}, values=np.array(values))
        return Graph(start_ms=1_000_000, step_ms=20_000, lines=(one,))

    graphs = {traffic: line(90.0, 10.0, 10.0, 1.0), failures: line(90.0, 3.0, 3.0, 1.0, 4.0)}
    row = figures_of(services_of([requests], None), graphs)[1]
    assert row.traffic == 7.0
    assert row.error_ratio == pytest.approx(7 / 21)


def test_a_service_that_stopped_has_no_share_of_failures(requests: Instrument) -> None:
    """Nought of nought is not a success."""
    traffic, failures, _ = figure_queries([requests])
    graphs = {traffic: graph("service.name", shop=0.0), failures: graph("service.name", shop=0.0)}
    row = figures_of(services_of([requests], None), graphs)[1]
    assert (row.traffic, row.error_ratio) == (0.0, None)


def test_what_one_instrument_lacks_another_of_the_same_side_tells() -> None:
    """A Prometheus client has the status on its counter and the duration on its histogram."""
    name = "http_request_duration_seconds_count"
    metrics = {name: tags(job=["till"]), "http_requests_total": tags(job=["till"], code=["200"])}
    instruments = instruments_of(metrics)
    histogram, mean, counter, failures = figure_queries(instruments)
    graphs = {
        histogram: graph("job", till=10.0),
        mean: graph("job", till=0.2),
        counter: graph("job", till=10.0),
        failures: graph("job", till=1.0),
    }
    (row,) = figures_of(services_of(instruments, None), graphs)
    assert (row.traffic, row.error_ratio) == (10.0, 0.1)
    assert (row.duration_s, row.duration_kind) == (0.2, "mean")


def test_an_answer_that_did_not_come_is_not_silence(requests: Instrument) -> None:
    """Nothing in the last 5 minutes would be a claim about a question that failed."""
    (_, shop, _) = figures_of(services_of([requests], None), {})
    assert (shop.traffic, shop.source) == (None, "not known: no answer came")
