"""Whom the calls of all traces make suspect, and how that joins what exemplars say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from anomaly.evidence.accusing import joined
from anomaly.evidence.blaming import BEFORE_STEPS, NO_BLAME, STEP_MS, TrafficOnce, blamed
from anomaly.evidence.exemplars import Evidence, with_evidence
from anomaly.findings import Suspect
from anomaly.testing import TraceList, example_finding, example_span, example_summary
from collectors.traces.traffic import EdgeTraffic

ONSET_MS = 1_700_000_010_000 // STEP_MS * STEP_MS
NOW_STEPS = 8
FINDING = example_finding(
    scope={"service.name": "gateway"},
    started_ms=ONSET_MS,
    updated_ms=ONSET_MS + NOW_STEPS * STEP_MS,
)
EDGES = (("user", "gateway"), ("gateway", "playback"), ("playback", "licences"))


class Traffic:
    """Sixty calls a step on every edge; from the onset on some fail or take longer.

    Args:
        errors: Share that fails, by callee.
        seconds: What a call takes, by callee; a tenth of a second before and for all others.
    """

    def __init__(
        self, errors: dict[str, float] | None = None, seconds: dict[str, float] | None = None
    ) -> None:
        self._errors, self._seconds = errors or {}, seconds or {}
        self.asked: list[tuple[int, int, int]] = []

    def traffic(self, start_ms: int, end_ms: int, step_ms: int) -> Sequence[EdgeTraffic]:
        """Return the calls of the whole window."""
        self.asked.append((start_ms, end_ms, step_ms))
        steps = (end_ms - start_ms) // step_ms
        bad = np.arange(steps) * step_ms + start_ms >= ONSET_MS
        return [
            EdgeTraffic(
                client=client,
                server=server,
                calls=np.full(steps, 60.0),
                seconds=60.0 * np.where(bad, self._seconds.get(server, 0.1), 0.1),
                errors=60.0 * np.where(bad, self._errors.get(server, 0.0), 0.0),
            )
            for client, server in EDGES
        ]


def test_who_fails_is_told_with_the_path_and_the_numbers() -> None:
    """The callee whose failures all others pass on, since when, and how much of it is its own."""
    traffic = Traffic(errors={"licences": 0.2, "playback": 0.2, "gateway": 0.2})
    (one,) = blamed(traffic, FINDING, True, None).suspects
    assert (one.service, one.share) == ("licences", 1.0)
    assert one.path == ("gateway", "playback", "licences")
    assert one.reason == (
        "20 % of its requests fail since 22:13:30 UTC, usually 0 %; 100 % of that is its own"
    )
    assert one.against == ()
    assert traffic.asked == [(ONSET_MS - BEFORE_STEPS * STEP_MS, FINDING.updated_ms, STEP_MS)]


def test_who_is_slow_is_told_with_what_speaks_against_it() -> None:
    """Half of what playback adds comes from below it: it comes first, and that is said."""
    traffic = Traffic(seconds={"licences": 0.5, "playback": 1.1, "gateway": 1.1})
    first, second = blamed(traffic, FINDING, False, None).suspects
    assert (first.service, second.service) == ("playback", "licences")
    assert first.reason == (
        "a request takes 1.1 s since 22:13:30 UTC, usually 100 ms; 60 % of that is its own"
    )
    assert first.against == ("40 % of it comes from licences below it",)


@pytest.mark.parametrize("service", ["gateway", "unheard-of", None])
def test_without_a_known_service_users_are_followed(service: str | None) -> None:
    """A finding about a region is explained from where users come in."""
    finding = example_finding(scope={}, started_ms=ONSET_MS, updated_ms=FINDING.updated_ms)
    found = blamed(Traffic(errors={"gateway": 0.3}), finding, True, service)
    assert [one.service for one in found.suspects] == ["gateway"]


def test_health_blames_nobody_and_says_so() -> None:
    """Whoever reads it looks elsewhere; a later look keeps the suspects of an earlier one."""
    found = with_evidence(FINDING, TraceList(), Evidence(), {}, 5_000, Traffic())
    assert found.explanation == (
        "It burns. None of 3 services on the way is off enough to be the cause."
    )
    assert found.suspects == ()


def test_too_early_nobody_is_called_well() -> None:
    """The newest calls are told late; that nobody is off yet is not known."""
    young = replace(FINDING, updated_ms=ONSET_MS + 3 * STEP_MS)
    assert with_evidence(young, TraceList(), Evidence(), {}, 5_000, Traffic()) is young


def test_nothing_known_says_nothing() -> None:
    """Without any traffic nothing was compared."""

    class Nothing:
        def traffic(self, start_ms: int, end_ms: int, step_ms: int) -> Sequence[EdgeTraffic]:
            del start_ms, end_ms, step_ms
            return ()

    assert blamed(Nothing(), FINDING, True, None) == NO_BLAME
    assert with_evidence(FINDING, TraceList(), Evidence(), {}, 5_000, Nothing()) is FINDING


def test_both_sides_are_told_as_one_list() -> None:
    """Exemplars and calls name the same service: once, with the evidence of both."""
    traces = TraceList(
        [example_summary(1, start_ms=ONSET_MS)], [example_span(1, service="playback")]
    )
    traffic = Traffic(errors={"playback": 0.5, "gateway": 0.5})
    found = with_evidence(FINDING, traces, Evidence(), {}, 5_000, traffic)
    assert [(one.service, one.share) for one in found.suspects] == [("playback", 1.0)]
    assert found.values["suspect.playback"] == 1.0
    assert found.explanation == (
        "It burns. Suspects by its traces and calls: playback (1 of 1 failures begin there; "
        "50 % of its requests fail since 22:13:30 UTC, usually 0 %; 100 % of that is its own; "
        "by gateway → playback)."
    )


def _suspect(service: str, share: float, *path: str) -> Suspect:
    return Suspect(service=service, share=share, reason="r", path=path)


@pytest.mark.parametrize(
    ("first", "second", "ranked"),
    [
        ([("a", 0.7), ("b", 0.3)], [("b", 1.0)], [("b", 0.65), ("a", 0.35)]),
        ([("a", 0.7), ("b", 0.3)], [], [("a", 0.7), ("b", 0.3)]),
        ([], [("b", 1.0)], [("b", 1.0)]),
        ([("b", 1.0)], [("a", 1.0)], [("a", 0.5), ("b", 0.5)]),
        ([], [], []),
    ],
)
def test_shares_of_both_sides_are_averaged(
    first: list[tuple[str, float]],
    second: list[tuple[str, float]],
    ranked: list[tuple[str, float]],
) -> None:
    """Ties by name; a side that names nobody takes nothing away."""
    found = joined([_suspect(*one) for one in first], [_suspect(*one) for one in second])
    assert [(one.service, round(one.share, 6)) for one in found] == ranked


def test_the_deeper_of_equals_comes_first() -> None:
    """What lies deeper is nearer to the cause."""
    found = joined([_suspect("a", 1.0, "a")], [_suspect("b", 1.0, "a", "b")])
    assert [one.service for one in found] == ["b", "a"]


def test_the_same_traffic_is_asked_for_once() -> None:
    """Thousands of findings that begin together would each sum up half an hour of calls."""
    traffic = Traffic()
    once = TrafficOnce(traffic)
    for _ in range(3):
        blamed(once, FINDING, True, None)
    assert len(traffic.asked) == 1
    once.forget()
    blamed(once, FINDING, True, None)
    assert len(traffic.asked) == 2


class Regions:
    """Two regions of one shop: pay fails in the north; and requests that may surge.

    Args:
        calls: Times as many as usual from the onset on.
    """

    def __init__(self, calls: float = 1.0) -> None:
        self._calls = calls

    def traffic(self, start_ms: int, end_ms: int, step_ms: int) -> Sequence[EdgeTraffic]:
        """Return the calls of the whole window."""
        steps = (end_ms - start_ms) // step_ms
        bad = np.arange(steps) * step_ms + start_ms >= ONSET_MS
        return [
            EdgeTraffic(
                client=client,
                server=server,
                calls=60.0 * np.where(bad, self._calls, 1.0),
                seconds=np.full(steps, 6.0),
                errors=np.where(bad & (place == "north") & (self._calls == 1.0), 30.0, 0.0),
                place=place,
            )
            for client, server in (("app", "web"), ("web", "cart"), ("cart", "pay"))
            for place in ("north", "south")
        ]


def test_the_way_is_told_from_where_requests_come_in_and_only_of_the_finding_s_region() -> None:
    """Felt in the middle, the way would begin there; other regions would thin the failure out."""
    north = replace(FINDING, scope={"service.name": "cart", "cloud.region": "north"})
    (one,) = blamed(Regions(), north, True, None).suspects
    assert one.path == ("app", "web", "cart", "pay")
    assert one.onsets_ms == (0, ONSET_MS, ONSET_MS, ONSET_MS)
    assert one.felt_by == ("cart", "web")
    south = replace(FINDING, scope={"service.name": "cart", "cloud.region": "south"})
    assert blamed(Regions(), south, True, None).suspects == ()


def test_who_is_off_beside_where_it_is_felt_is_found_and_told_to_be_beside_it() -> None:
    """A sign-in that fails keeps requests from the step at which people notice."""
    felt = replace(FINDING, scope={"service.name": "pay", "cloud.region": "north"})
    (one,) = blamed(
        Regions(), replace(felt, scope={"service.name": "checkout"}), True, None
    ).suspects
    assert (one.service, one.against) == ("pay", ("no call leads to it from checkout",))


def test_a_surge_is_a_suspect_of_its_own() -> None:
    """When far more is asked, nobody below need be ill."""
    (one,) = blamed(Regions(calls=3.0), FINDING, True, None).suspects
    assert (one.service, one.path, one.onsets_ms) == ("app", ("app",), (ONSET_MS,))
    assert one.reason.startswith(
        "asks 3× as much as usual since 22:13:30 UTC: 360 requests in 15 s"
    )
