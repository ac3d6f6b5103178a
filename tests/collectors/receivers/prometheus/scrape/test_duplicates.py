"""Samples that meet in one series: one of them counts, the others are counted and told."""

from __future__ import annotations

import math

import pytest

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.model import Batch
from collectors.receivers.prometheus.scrape.claims import SeriesClaims
from collectors.receivers.prometheus.scrape.config import ScrapeJob
from collectors.receivers.prometheus.scrape.history import Scraped, TargetHistory
from collectors.receivers.prometheus.scrape.relabel import Action, RelabelRule, compile_regex
from collectors.receivers.prometheus.scrape.target import TargetAddress

T0 = 1_700_000_000_000
WITHOUT_X = RelabelRule(action=Action.LABEL_DROP, regex=compile_regex("x|instance"))
Told = dict[str, int]


def history(claims: SeriesClaims | None = None, instance: str = "a:1") -> TargetHistory:
    address = TargetAddress(url=f"http://{instance}/metrics", labels={"instance": instance})
    job = ScrapeJob(name="shop", metric_relabel=(WITHOUT_X,))
    return TargetHistory(job, address, Limits(), claims)


def values(batch: Batch, name: str) -> list[tuple[int, float]]:
    return [
        (int(time_ms), float(value))
        for index, time_ms, value in zip(
            batch.series_index, batch.time_ms, batch.value, strict=True
        )
        if batch.series[index]["name"] == name
    ]


def told(scraped: Scraped) -> Told:
    return {refused.reason: refused.count for refused in scraped.rejections}


@pytest.mark.parametrize(
    ("page", "kept", "refused"),
    [
        (b"a 1\na 2\na 3\n", [(T0, 1.0)], {"duplicateSample": 2}),
        (b"a 1\na 1\n", [(T0, 1.0)], {"duplicateSample": 1}),
        (b"a 1 5\na 2 5\na 3 6\n", [(5, 1.0), (6, 3.0)], {"duplicateSample": 1}),
        (b"a 1 7\na 2\n", [(7, 1.0), (T0, 2.0)], {}),
        (b'a 1\na{y=""} 2\n', [(T0, 1.0)], {"duplicateSeries": 1}),
        (b'a{x="1"} 1\na{x="2"} 2\na{x="3"} 3\n', [(T0, 1.0)], {"duplicateSeries": 2}),
    ],
)
def test_within_a_page(page: bytes, kept: list[tuple[int, float]], refused: Told) -> None:
    """The first counts, at every scrape; others in the same series would make a saw of it."""
    target = history()
    for round_ms in (0, 10_000):
        scraped = target.take(page, False, T0 + round_ms)
        here = [(t + round_ms if t == T0 else t, value) for t, value in kept]
        assert values(scraped.batch, "a") == here
        assert told(scraped) == refused
        assert scraped.scraped == scraped.kept == page.count(b"\n")


def test_it_is_told_what_met() -> None:
    """Or nobody can find which label was taken away."""
    (within,) = history().take(b'a{x="1"} 1\na{x="2"} 2\n', False, T0).rejections
    assert "name=a" in within.detail
    assert within.detail.endswith("another series of the page")
    claims = SeriesClaims()
    history(claims, "a:1").take(b"a 1\n", False, T0)
    (across,) = history(claims, "b:1").take(b"a 2\n", False, T0).rejections
    assert across.detail.endswith("a series of http://a:1/metrics of job shop")


def test_another_series_goes_on_under_the_same_name() -> None:
    """Its sample is no end: a marker beside it would make a gap."""
    target = history()
    target.take(b'a{x="1"} 1\n', False, T0)
    scraped = target.take(b'a{x="2"} 2\n', False, T0 + 10_000)
    assert values(scraped.batch, "a") == [(T0 + 10_000, 2.0)]
    assert told(scraped) == {}


def test_between_targets() -> None:
    """One target has the series until its page no longer does; then the other one has it."""
    claims = SeriesClaims()
    first, second = history(claims, "a:1"), history(claims, "b:1")
    assert values(first.take(b"a 1\n", False, T0).batch, "a") == [(T0, 1.0)]
    scraped = second.take(b"a 2\nb 2\n", False, T0 + 5_000)
    assert (values(scraped.batch, "a"), values(scraped.batch, "b")) == ([], [(T0 + 5_000, 2.0)])
    assert told(scraped) == {"duplicateSeries": 1}
    ended = values(first.take(b"", False, T0 + 10_000).batch, "a")
    assert [(time_ms, math.isnan(value)) for time_ms, value in ended] == [(T0 + 10_000, True)]
    scraped = second.take(b"a 3\nb 2\n", False, T0 + 15_000)
    assert values(scraped.batch, "a") == [(T0 + 15_000, 3.0)]
    assert told(first.take(b"a 1\n", False, T0 + 20_000)) == {"duplicateSeries": 1}


@pytest.mark.parametrize("how", ["fails", "is gone"])
def test_a_target_that_ends_gives_its_series_back(how: str) -> None:
    """A series would have no sender once the target that claimed it has gone."""
    claims = SeriesClaims()
    first, second = history(claims, "a:1"), history(claims, "b:1")
    first.take(b"a 1\n", False, T0)
    if how == "fails":
        with pytest.raises(DecodeError):
            first.take(b"a one\n", False, T0 + 1)
        first.lose(T0 + 1)
    else:
        first.end(T0 + 1)
    assert told(second.take(b"a 2\n", False, T0 + 2)) == {}


def test_series_with_their_own_times_are_given_back_too() -> None:
    """Two Prometheus servers with the same targets, federated: either may answer."""
    claims = SeriesClaims()
    first, second = history(claims, "a:1"), history(claims, "b:1")
    first.take(b"a 1 100\n", False, T0)
    assert told(second.take(b"a 1 100\n", False, T0)) == {"duplicateSeries": 1}
    assert values(first.take(b"", False, T0 + 1).batch, "a") == []
    assert values(second.take(b"a 2 200\n", False, T0 + 2).batch, "a") == [(200, 2.0)]


def test_the_reports_of_targets_with_the_same_labels() -> None:
    """Their ``up`` would say 1 and 0 in turns."""
    claims = SeriesClaims()
    same = TargetAddress(url="http://b:1/metrics", labels={"instance": "a:1"})
    first = history(claims, "a:1")
    second = TargetHistory(ScrapeJob(name="shop"), same, Limits(), claims)
    batch, refused = first.report(T0, (1.0, 0.1, 1.0, 1.0, 1.0))
    assert (len(batch), refused) == (5, [])
    batch, refused = second.report(T0, (0.0, 0.1, 0.0, 0.0, 0.0))
    assert (len(batch), [r.reason for r in refused], refused[0].count) == (
        0,
        ["duplicateSeries"],
        5,
    )
    assert "http://a:1/metrics" in refused[0].detail
    first.end(T0 + 1)
    batch, refused = second.report(T0 + 2, (0.0, 0.1, 0.0, 0.0, 0.0))
    assert (len(batch), refused) == (5, [])


def test_series_that_come_and_go_hold_nothing() -> None:
    """Claims of series that were forgotten would keep others out for ever."""
    claims = SeriesClaims()
    target = history(claims)
    for i in range(30):
        page = b"".join(b'churn{i="%d"} 1\n' % (1_000 * i + j) for j in range(1_000))
        assert told(target.take(page + b"a 1\n", False, T0 + i)) == {}
    assert claims.count == 1_001
    target.end(T0 + 60)
    assert claims.count == 0
