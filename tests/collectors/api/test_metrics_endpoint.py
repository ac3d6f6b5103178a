"""Browsing metrics: names with their units, and the tags of their series counted."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from collectors.api.routes import catalogue_routes
from collectors.limits import Limits
from collectors.metric_units import MAX_UNITS, MetricUnits
from collectors.receivers.otlp.metrics import OtlpMetrics
from collectors.receivers.stats import ReceiverStats
from collectors.receivers.testing.fakes import FakeStore
from collectors.receivers.testing.otlp import HandExporter
from collectors.stacklang.predicates.predicate import AnyOf
from collectors.store.metric_store import MetricStore


@pytest.fixture(name="browser")
def _browser(store: MetricStore) -> TestClient:
    units = MetricUnits()
    units.tell("sps", "{stream}/s")
    return TestClient(Starlette(routes=catalogue_routes(store, units)))


@pytest.mark.parametrize(
    ("params", "names", "left_out"),
    [
        ({}, ["range", "sps"], 0),
        ({"prefix": "s"}, ["sps"], 0),
        ({"search": "AN"}, ["range"], 0),
        ({"search": "an sp"}, [], 0),
        ({"limit": "1"}, ["range"], 1),
        ({"q": "nf.cluster,:has"}, ["sps"], 0),
    ],
)
def test_names_are_found_by_prefix_words_and_query(
    browser: TestClient, params: dict[str, str], names: list[str], left_out: int
) -> None:
    """Who looks for a metric would not find it, or would not learn that there are more."""
    body = browser.get("/api/v2/metrics", params=params).json()
    assert [row["name"] for row in body["metrics"]] == names
    assert body["left_out"] == left_out


def test_a_name_comes_with_its_unit_and_number_of_series(browser: TestClient) -> None:
    """A chart would be drawn without a unit although the sender told one."""
    rows = {row["name"]: row for row in browser.get("/api/v2/metrics").json()["metrics"]}
    assert rows["sps"] == {"name": "sps", "unit": "{stream}/s", "series": 2}
    assert rows["range"] == {"name": "range", "unit": "", "series": 12}


def test_tags_are_counted_those_of_most_series_first(browser: TestClient) -> None:
    """A person could not tell which tag splits a metric and into how much."""
    body = browser.get("/api/v2/metric-tags", params={"q": "name,range,:eq", "limit": "2"}).json()
    tags = {row["key"]: row for row in body["tags"]}
    assert (body["series"], body["counted"], body["units"]) == (12, 12, {"range": ""})
    assert (tags["item"]["values"], tags["item"]["series"]) == (12, 12)
    assert [row["value"] for row in tags["item"]["top"]] == ["00", "01"]
    assert tags["odd"]["top"][0] == {"value": "0", "series": 6}


def test_a_query_that_is_none_is_refused_in_words(browser: TestClient) -> None:
    """A slip in a query would look like a metric without tags."""
    answer = browser.get("/api/v2/metric-tags", params={"q": "name,range"})
    assert answer.status_code == 400
    assert "single query" in answer.json()["message"]


def test_what_is_not_counted_is_told(store: MetricStore) -> None:
    """Counts over a part would pass for counts over all."""
    found = store.tag_counts(AnyOf(), most=3)
    assert found.counted == 3
    assert found.series > 3


def test_the_units_table_is_bounded() -> None:
    """Names that never come again would fill the memory; the newest units must stay."""
    units = MetricUnits()
    for number in range(MAX_UNITS + 5):
        units.tell(f"m{number}", "By")
    assert len(units) == MAX_UNITS
    assert (units.unit("m0"), units.unit(f"m{MAX_UNITS + 4}")) == ("", "By")


def test_a_unit_that_an_exporter_tells_is_kept_in_a_table_that_was_empty() -> None:
    """An empty table must not be taken for none: the server's own would stay empty for ever."""
    units = MetricUnits()
    hand = HandExporter()
    hand.receiver = OtlpMetrics(FakeStore(), Limits(), ReceiverStats(), units=units)
    hand.export(lambda metric: metric.gauge.data_points.add(time_unix_nano=1, as_int=1), "q", "By")
    assert units.unit("q") == "By"
