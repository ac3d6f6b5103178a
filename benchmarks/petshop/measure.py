"""How many issues are traced to the service at fault, and how much health is left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from anomaly.causes.deviation import Symptom
from anomaly.causes.own_share import Verdict, blame
from benchmarks.petshop.scenario import Issue, Scenario, series_of

_FRAME_STEPS = 5
_LEAST_STEPS = 3
_SPLIT_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Answers to one scenario.

    Attributes:
        issues: How many there are.
        top_1: How many have the service at fault first.
        top_3: How many have it among the first three.
        path_right: Of those first, how many have a path from the target whose services are all off.
        healthy_splits: Health without a suspect, over the data set's own splits.
        splits: How many of these there are.
        healthy_frames: Health without a suspect, in frames as long as an issue's, each half judged
            by the other.
        frames: How many of these there are.
        misses: Issues that don't have the service at fault first, with the answers.
    """

    issues: int
    top_1: int
    top_3: int
    path_right: int
    healthy_splits: int
    splits: int
    healthy_frames: int
    frames: int
    misses: tuple[tuple[str, str, tuple[str, ...]], ...]


def verdict(scenario: Scenario, issue: Issue) -> Verdict:
    """Return what is suspected in an issue."""
    return blame(
        scenario.graph,
        issue.target,
        issue.symptom,
        series_of(scenario.healthy, issue.symptom),
        series_of(issue.columns, issue.symptom),
    )


def measure(scenario: Scenario) -> Figures:
    """Answer every issue of ``scenario``, and its healthy hours."""
    found = [(issue, verdict(scenario, issue).suspects) for issue in scenario.issues]
    named = [(issue, [one.node for one in suspects]) for issue, suspects in found]
    splits, frames = list(_splits(scenario)), list(_frames(scenario))
    return Figures(
        issues=len(found),
        top_1=sum(names[:1] == [issue.cause] for issue, names in named),
        top_3=sum(issue.cause in names[:3] for issue, names in named),
        path_right=sum(
            bool(given) and given[0].node == issue.cause and given[0].linked
            for issue, given in found
        ),
        healthy_splits=sum(splits),
        splits=len(splits),
        healthy_frames=sum(frames),
        frames=len(frames),
        misses=tuple(
            (issue.name, issue.cause, tuple(names[:3]))
            for issue, names in named
            if names[:1] != [issue.cause]
        ),
    )


def _splits(scenario: Scenario) -> Iterator[bool]:
    """Yield whether the later part of health is left alone, by the data set's own splits."""
    steps = len(next(iter(scenario.healthy.values())))
    for split in range(steps // 2, steps - _LEAST_STEPS, int(steps * _SPLIT_SHARE)):
        yield from _alone(scenario, (0, split), (split, steps))


def _frames(scenario: Scenario) -> Iterator[bool]:
    steps = len(next(iter(scenario.healthy.values())))
    half = steps // 2
    for first in range(0, steps - _FRAME_STEPS + 1, _FRAME_STEPS):
        learned = (half, steps) if first < half else (0, half)
        yield from _alone(scenario, learned, (first, first + _FRAME_STEPS))


def _alone(scenario: Scenario, before: tuple[int, int], now: tuple[int, int]) -> Iterator[bool]:
    for target in sorted({issue.target for issue in scenario.issues}):
        for symptom in Symptom:
            found = blame(
                scenario.graph,
                target,
                symptom,
                series_of(scenario.healthy, symptom, *before),
                series_of(scenario.healthy, symptom, *now),
            )
            yield not found.suspects
