"""Streams whose tags are the same: summed, or the newest shown and told, never by turns."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import OverloadedError
from collectors.limits import Limits
from collectors.receivers.resource_tags import NOT_CHOSEN, TOO_MANY, ResourceTags
from collectors.receivers.testing.otlp import CUMULATIVE, DELTA, HandExporter, place


def counted(exporter: HandExporter, **tags: str) -> float:
    """Return all events of a counter: the last of its own samples, and its parts."""
    samples = exporter.seconds(**tags)
    return (samples[-1][1] if samples else 0) + sum(v for _, _, v in exporter.parts(**tags))


@pytest.mark.parametrize(
    "senders",
    [
        [{"process_pid": "1"}, {"process_pid": "2"}],
        [{"scope": "lib.a"}, {"scope": "lib.b"}],
        [{"service_name": "x", "os_type": "a"}, {"service_name": "x", "os_type": "b"}],
        [{"telemetry_sdk.name": "go"}, {"telemetry_sdk.name": "js"}, {"container_id": "7"}],
    ],
)
def test_counters_that_meet_are_summed(senders: list[dict[str, str]]) -> None:
    """Workers or libraries that report one counter would look like resets of each other."""
    exporter = HandExporter()
    for i in range(1, 5):
        for n, sender in enumerate(senders):
            exporter.sum(10**n * i, 100 + n, 110 + 10 * i + n, path="", **sender)  # type: ignore[arg-type]
    assert len({tuple(sorted(s.items())) for s in exporter.store.series()}) == 1
    assert counted(exporter) == sum(4 * 10**n for n in range(len(senders)))


def test_from_when_they_meet_each_is_counted_over_its_own_intervals() -> None:
    """What the first counted before the second came would be lost, or counted twice."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110, scope="a")
    exporter.sum(30, 105, 112, scope="b")
    exporter.sum(9, 100, 120, scope="a")
    exporter.sum(31, 105, 122, scope="b")
    exporter.sum(2, 123, 130, scope="a")  # a new start
    assert exporter.seconds() == [(100, 0), (110, 5)]
    assert exporter.parts() == [
        (105, 112, 30), (110, 120, 4), (112, 122, 1), (123, 130, 2),
    ]  # fmt: skip


def test_a_repeated_point_of_a_shared_counter_counts_once() -> None:
    """A retry would be counted again."""
    exporter = HandExporter()
    for _ in range(2):
        for scope, value in (("a", 5.0), ("b", 7.0)):
            exporter.sum(value, 100, 110, scope=scope)
    assert counted(exporter) == 12


def test_what_the_store_refused_of_a_shared_counter_is_taken_at_the_retry() -> None:
    """An overloaded store would cost an interval."""
    exporter = HandExporter()
    exporter.sum(5, 100, 110, scope="a")
    exporter.sum(5, 100, 110, scope="b")
    exporter.store.failure = OverloadedError("busy")
    with pytest.raises(OverloadedError):
        exporter.sum(9, 100, 120, scope="b")
    exporter.store.failure = None
    exporter.sum(9, 100, 120, scope="b")
    assert exporter.parts() == [(100, 110, 5), (110, 120, 4)]


@pytest.mark.parametrize("temporality", [CUMULATIVE, DELTA])
def test_histograms_that_meet_are_summed(temporality: int) -> None:
    """Count, total and percentiles would be of one sender, or jump between two."""
    exporter = HandExporter()
    for i, scope in itertools.product(range(1, 4), ("a", "b")):
        times = 1 if temporality == DELTA else i
        start_s = 100 if temporality == CUMULATIVE else 90 + 10 * i
        exporter.histogram(
            [0, 3 * times, 0],
            [5.0, 5.5],
            start_s,
            100 + 10 * i,
            temporality,
            scope=scope,
            sum=15 * times,
        )
    assert counted(exporter, statistic="count") == 18
    assert counted(exporter, statistic="totalTime") == 90
    assert counted(exporter, percentile="T008D") == 18


def test_attributes_in_another_order_are_the_same_stream() -> None:
    """A client that sends its attributes in changing order would be counted several times."""
    exporter = HandExporter()

    def fill(order: tuple[str, ...], value: int, time_s: float) -> Any:
        def one(metric: Any) -> None:
            metric.sum.aggregation_temporality = CUMULATIVE
            metric.sum.is_monotonic = True
            point = metric.sum.data_points.add(as_int=value)
            for key in order:
                point.attributes.add(key=key).value.string_value = key
            place(point, 100, time_s)

        return one

    orders = list(itertools.permutations(("a", "b", "c")))
    for i, order in enumerate(orders, start=1):
        exporter.export(fill(order, i, 100 + 10 * i), host_name="h", service_name="s")
    for i, order in enumerate(orders, start=len(orders) + 1):
        exporter.export(fill(order, i, 100 + 10 * i), service_name="s", host_name="h")
    assert exporter.parts() == []
    assert exporter.seconds() == [(100, 0), *((100 + 10 * i, i) for i in range(1, 13))]


def test_attributes_that_become_one_tag_set_are_summed() -> None:
    """An attribute of text and one of a number, or one without a value, would take turns."""
    exporter = HandExporter()

    def fill(value: Any, count: int, time_s: float) -> Any:
        def one(metric: Any) -> None:
            metric.sum.aggregation_temporality = CUMULATIVE
            metric.sum.is_monotonic = True
            point = metric.sum.data_points.add(as_int=count)
            attribute = point.attributes.add(key="code")
            if isinstance(value, int):
                attribute.value.int_value = value
            else:
                attribute.value.string_value = value
            place(point, 100, time_s)

        return one

    for i in (1, 2):
        exporter.export(fill(200, i, 100 + 10 * i))
        exporter.export(fill("200", 5 * i, 100 + 10 * i))
    assert counted(exporter, code="200") == 12


def test_kinds_of_one_name_are_summed_where_their_series_are_one() -> None:
    """A counter and a histogram of one name have the same count; they would take turns."""
    exporter = HandExporter()
    for i in (1, 2):
        exporter.sum(i, 100, 100 + 10 * i)
        exporter.histogram([10 * i, 0], [1.0], 100, 100 + 10 * i)
    assert counted(exporter, statistic="count") == 22


def test_of_gauges_that_meet_one_is_shown_and_it_is_told() -> None:
    """A line would jump between two senders, and nobody would know."""
    exporter = HandExporter()
    warned = 0
    for i in range(10):
        for phase, value, scope in ((0, 1.0, "a"), (2, 2.0, "b")):
            receipt = exporter.gauge(value, 100 + 10 * i + phase, scope=scope)
            warned += sum(w.count for w in receipt.warnings if w.reason == "gaugesMeet")
    shown = [value for _, _, value in exporter.parts()]
    assert set(shown[2:]) == {2.0}
    assert exporter.stats.warnings("otlp.metrics")["gaugesMeet"] == warned >= 8


def test_a_gauge_whose_sender_is_replaced_goes_on() -> None:
    """After a restart under a new pid the gauge would stay hidden."""
    exporter = HandExporter()
    for i in range(5):
        exporter.gauge(1.0, 100 + 10 * i, process_pid="1")
    receipts = [exporter.gauge(2.0, 160 + 10 * i, process_pid="2") for i in range(3)]
    assert [value for _, _, value in exporter.parts()] == [2.0, 2.0, 2.0]
    assert [len(receipt.warnings) for receipt in receipts] == [1, 0, 0]


def test_sums_that_may_fall_are_added_up_while_their_senders_live() -> None:
    """Requests at work in four workers would be those of one; a dead worker's would stay."""
    exporter = HandExporter()
    for i in range(4):
        for n, pid in enumerate("abcd"):
            exporter.sum(n + 1, 100, 110 + 10 * i + n, monotonic=False, process_pid=pid)
    assert exporter.parts()[-1] == (143, 143, 10)
    for i in range(6):
        exporter.sum(1, 100, 150 + 10 * i, monotonic=False, process_pid="a")
    assert exporter.parts()[-1] == (200, 200, 1)


def test_streams_that_are_forgotten_leave_the_meeting() -> None:
    """Senders that are gone would fill the memory, or stand in the way of those who come."""
    exporter = HandExporter(Limits(max_streams=2, stream_idle_ms=60_000))
    exporter.sum(1, 100, 110, process_pid="1")
    exporter.sum(1, 100, 110, process_pid="2")
    exporter.sum(5, 250, 260, process_pid="2")
    assert exporter.sum(7, 250, 260, process_pid="3").accepted == 1
    assert exporter.parts()[-1] == (250, 260, 7)


@pytest.mark.parametrize("starts_s", [(100, 105, 103, 101), (101, 102, 103, 104), (104, 101)])
def test_processes_under_one_identity_are_told_apart_by_their_starts(
    starts_s: tuple[float, ...],
) -> None:
    """Workers that fork after their SDK was set up would each look like a restart of another."""
    exporter = HandExporter()
    for i in range(1, 6):
        for n, start_s in enumerate(starts_s):
            exporter.sum(10**n * i, start_s, 110 + 10 * i + n)
            exporter.histogram([10**n * i, 0], [1.0], start_s, 110 + 10 * i + n)
    rounds = sum(10**n for n in range(len(starts_s)))
    seconds = [sample for sample in exporter.seconds(statistic="count") if sample[1]]
    told = sum(value for _, value in seconds)
    told += sum(value for _, _, value in exporter.parts(statistic="count"))
    assert told == 2 * 5 * rounds


def test_standing_sums_of_processes_under_one_identity_are_added_up() -> None:
    """Requests at work would be those of the worker that reported last."""
    exporter = HandExporter()
    for i in range(3):
        for n, start_s in enumerate((100, 102, 101)):
            exporter.sum(n + 1, start_s, 110 + 10 * i + n, monotonic=False)
    assert exporter.parts()[-1] == (132, 132, 6)


def test_a_restart_is_no_second_process() -> None:
    """A counter that starts anew would be counted in parts for ever after."""
    exporter = HandExporter()
    for start_s in (100, 200, 300):
        exporter.sum(5, start_s, start_s + 50)
    assert exporter.parts() == []


def test_deltas_out_of_order_are_counted_once() -> None:
    """A collector's queue sends several at a time; what overtook another would cost it."""
    exporter = HandExporter()
    intervals = [(100, 110), (120, 130), (110, 120), (140, 150), (130, 140)]
    for start_s, time_s in (*intervals, *intervals):
        exporter.sum(5, start_s, time_s, DELTA)
    assert sum(value for _, _, value in exporter.parts()) == 25
    late = exporter.sum(5, 10, 20, DELTA)
    assert late.rejected[0].reason == "outOfOrder"


_KEYS = st.sampled_from(["service.name", "service.version", "host.name", "team", "os.type", "a.b"])
_TAGS = st.dictionaries(_KEYS, st.text("xyz", min_size=1, max_size=3))


@given(resource=_TAGS, point=_TAGS, max_tags=st.integers(5, 12))
@settings(max_examples=200, deadline=None)
def test_every_attribute_is_a_tag_or_dropped_with_a_reason(
    resource: dict[str, str], point: dict[str, str], max_tags: int
) -> None:
    """An attribute would vanish, a point be refused, or the least useful be kept."""
    choice = ResourceTags(("service.*", "team"), Limits(max_tags=max_tags))
    chosen = choice.choose(resource)
    joined = choice.join(chosen.tags, point)
    assert set(chosen.dropped.values()) <= {NOT_CHOSEN}
    assert set(joined.dropped.values()) <= {TOO_MANY}
    assert {*joined.tags, *joined.dropped} == {*chosen.tags, *point}
    assert len(joined.tags) <= max_tags - 4
    if set(joined.dropped) & set(point):
        assert not set(chosen.tags) - set(point) & set(joined.tags)
    for key, value in joined.tags.items():
        assert value == point.get(key, resource.get(key))


def test_values_too_long_for_tags_cost_themselves_alone() -> None:
    """A process's command line among the chosen attributes would cost every point."""
    exporter = HandExporter(patterns=("*",))
    receipt = exporter.gauge(1.0, 110, process_command="x" * 300, team="tv")
    assert (receipt.accepted, receipt.rejected_count) == (1, 0)
    assert exporter.store.series() == [{"name": "m", "team": "tv", "atlas.dstype": "gauge"}]
