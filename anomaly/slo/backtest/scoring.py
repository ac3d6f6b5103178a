"""Policies side by side: pages, delay, reset, what was missed and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from anomaly.findings import Urgency
from anomaly.slo.backtest.course import Course
from anomaly.slo.backtest.episodes import budget_events
from anomaly.slo.backtest.ourselves import own_alerts
from anomaly.slo.backtest.playing import Interval, Promise, firing
from anomaly.slo.backtest.policies import OWN, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a policy did. Lengths are in seconds; None: there is nothing to take it of.

    Attributes:
        policy: Its name.
        pages: Times that it would have paged.
        wrong_pages: How many of these touch no episode.
        tickets: Times that it would have written a ticket.
        episodes: How many there were.
        paged_episodes: During how many it paged.
        delay_s: From the begin of a paged episode to the page, median.
        worst_delay_s: The longest.
        reset_s: From the end of a paged episode to the end of its page, median.
        missed_s: Time within episodes during which no page fired.
        spent: Share of the period's budget that was gone in episodes before anybody was paged.
        paging: When it paged, epoch milliseconds, first and last step.
    """

    policy: str
    pages: int
    wrong_pages: int
    tickets: int
    episodes: int
    paged_episodes: int
    delay_s: float | None
    worst_delay_s: float | None
    reset_s: float | None
    missed_s: float
    spent: float
    paging: Sequence[tuple[int, int]]


def score(
    course: Course, policies: Sequence[Policy], promise: Promise, wanted: Sequence[Interval]
) -> list[Score]:
    """Return how each policy did.

    Args:
        course: What happened.
        policies: Which.
        promise: The objective.
        wanted: The episodes.
    """
    scores = []
    for policy in policies:
        if policy is OWN:
            own = own_alerts(course, promise)
            pages, tickets = own[Urgency.PAGE], own[Urgency.TICKET]
        else:
            pages = firing(course, policy, promise, Urgency.PAGE)
            tickets = firing(course, policy, promise, Urgency.TICKET)
        scores.append(_scored(course, policy.name, pages, len(tickets), promise, wanted))
    return scores


def _scored(
    course: Course,
    name: str,
    pages: Sequence[Interval],
    tickets: int,
    promise: Promise,
    wanted: Sequence[Interval],
) -> Score:
    step_s = course.step_ms / 1_000
    touching = [[page for page in pages if _touch(page, one)] for one in wanted]
    paged = [(one, own) for one, own in zip(wanted, touching, strict=True) if own]
    delays = [max(0, own[0][0] - one[0]) * step_s for one, own in paged]
    resets = [max(0, own[-1][1] - one[1]) * step_s for one, own in paged]
    missed = sum(
        (one[1] - one[0]) - sum(_overlap(page, one) for page in own)
        for one, own in zip(wanted, touching, strict=True)
    )
    lost = sum(
        float(course.bad[one[0] : max(one[0], own[0][0]) if own else one[1]].sum())
        for one, own in zip(wanted, touching, strict=True)
    )
    allowed = budget_events(course, promise)
    return Score(
        policy=name,
        pages=len(pages),
        wrong_pages=sum(not any(_touch(page, one) for one in wanted) for page in pages),
        tickets=tickets,
        episodes=len(wanted),
        paged_episodes=len(paged),
        delay_s=median(delays) if delays else None,
        worst_delay_s=max(delays, default=None),
        reset_s=median(resets) if resets else None,
        missed_s=missed * step_s,
        spent=lost / allowed if allowed else 0.0,
        paging=[(course.time_ms(first), course.time_ms(last - 1)) for first, last in pages],
    )


def _touch(page: Interval, episode: Interval) -> bool:
    return _overlap(page, episode) > 0


def _overlap(page: Interval, episode: Interval) -> int:
    return max(0, min(page[1], episode[1]) - max(page[0], episode[0]))
