"""``tocsin slo backtest``: alerting policies side by side on what was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collectors.errors import ConfigError
from tocsin.client.client import ApiClient
from tocsin.client.shapes import Slo
from tocsin.client.wording import duration, moment, percent, scope
from tocsin.commands.changes import parsed_ms
from tocsin.commands.slo.history import course_of_scope
from tocsin.commands.slo.new import share
from tocsin.terminal.answers import asking, asks, say, say_json, table

if TYPE_CHECKING:
    from anomaly.slo.backtest.course import Course
    from anomaly.slo.backtest.playing import Promise
    from anomaly.slo.backtest.policies import Policy
    from anomaly.slo.backtest.scoring import Score

MAX_SCOPES = 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    """One scope's course under all policies; times in epoch milliseconds."""

    scope: dict[str, str]
    start_ms: int
    end_ms: int
    step_ms: int
    measured: float
    target: float
    window_s: int
    spent: float | None
    episodes: Sequence[tuple[int, int]]
    marked: bool
    policies: Sequence[Score]


@click.command("backtest")
@click.argument("name", required=False)
@click.option("--csv", "table_file", type=_FILE, help="Events from a file instead of a server.")
@click.option("--start", default="now-7d", help="With NAME: from when. [now-7d]")
@click.option("--end", default="now", help="With NAME: until when. [now]")
@click.option("--target", help="Percent of good events. [the objective's; 99.9]")
@click.option("--window", help="Length of the error budget. [the objective's; 30d]")
@click.option("--min-bad", type=click.FloatRange(0), default=5.0, help="Bad events to fire. [5]")
@click.option("--policies", "policy_file", type=_FILE, help="YAML list of further policies.")
@click.option("--policy", "only", multiple=True, help="Only these, by name; may be repeated.")
@click.option("--matters", default="2", help="Percent of the budget that an episode spends. [2]")
@asks(fail_empty=False)
def command(
    name: str | None,
    table_file: Path | None,
    start: str,
    end: str,
    target: str | None,
    window: str | None,
    min_bad: float,
    policy_file: Path | None,
    only: tuple[str, ...],
    matters: str,
    api_url: str | None,
    as_json: bool,
) -> None:
    r"""Replay the objective NAME, or a CSV file, under several alerting policies side by side.

    Told for each: pages, wrong pages, tickets, how many episodes it paged for, delay, time to
    reset, time missed, and the budget spent before anybody was paged. Policies are the six
    approaches of the SRE Workbook, tocsin's own (with its guards, and held until it has stayed
    clean) and those of a file:

    \b
      - name: mine
        tiers:
          - {urgency: page, long: 1h, short: 5m, burn: 10}
          - {urgency: ticket, long: 1d, burn: 2, lasting: 30m}

    Windows are for a period of 30 days and scaled to the objective's. An episode is what the CSV
    marks in a column `incident`; otherwise where at least --matters percent of the budget went at
    once. A CSV has the columns time, total and good or bad: events of each step.
    """
    if (name is None) == (table_file is None):
        raise click.UsageError("give the NAME of an objective or --csv FILE")
    policies = _policies(policy_file, only)
    share_of_budget = _share(matters)
    if table_file is not None:
        from anomaly.slo.backtest.course import read_csv

        promise = _promise(share(target or "99.9"), window or "30d", min_bad)
        with table_file.open(encoding="utf-8", newline="") as file:
            course = read_csv(file, str(table_file))
        found = [_played({}, course, policies, promise, share_of_budget)]
    else:
        with asking(api_url) as api:
            found = [
                _played(slo["scope"], course, policies, promise, share_of_budget)
                for slo in _scopes(api, name or "")
                for promise in [_promise_of(slo, target, window, min_bad)]
                for course in [course_of_scope(api, slo, start, end)]
            ]
    if as_json:
        say_json([asdict(one) for one in found])
        return
    say("\n".join(line for one in found for line in _lines(one)))


def _policies(file: Path | None, only: Sequence[str]) -> list[Policy]:
    from anomaly.slo.backtest.policies import KNOWN, read_policies

    policies = [*KNOWN]
    if file is not None:
        policies += read_policies(file.read_text(encoding="utf-8"), str(file))
    unknown = set(only) - {policy.name for policy in policies}
    if unknown:
        names = ", ".join(policy.name for policy in policies)
        raise click.BadParameter(f"no policy {min(unknown)!r}; there are {names}")
    return [policy for policy in policies if not only or policy.name in only]


def _share(matters: str) -> Fraction:
    try:
        found = Fraction(matters.removesuffix("%").strip()) / 100
    except (ValueError, ZeroDivisionError):
        raise click.BadParameter(f"{matters!r} is not a percentage such as 2") from None
    if found < 0:
        raise click.BadParameter(f"{matters!r}: can't be below 0")
    return found


def _promise(target: Fraction, window: str, min_bad: float) -> Promise:
    from anomaly.slo.backtest.playing import Promise

    period_s = parsed_ms(window, "--window") // 1_000
    if period_s < 1:
        raise click.BadParameter(f"{window!r}: a window lasts at least a second")
    return Promise(budget=1 - target, period_s=period_s, min_bad=min_bad)


def _promise_of(slo: Slo, target: str | None, window: str | None, min_bad: float) -> Promise:
    own = Fraction(repr(slo["target"]))
    return _promise(share(target) if target else own, window or f"{slo['window_s']:.0f}s", min_bad)


def _scopes(api: ApiClient, name: str) -> list[Slo]:
    found = [slo for slo in api.slos() if slo["name"] == name]
    if not found:
        known = ", ".join(sorted({slo["name"] for slo in api.slos()})) or "none"
        raise ConfigError(f"no objective {name!r}; there are: {known}")
    return found[:MAX_SCOPES]


def _played(
    where: dict[str, str],
    course: Course,
    policies: Sequence[Policy],
    promise: Promise,
    matters: Fraction,
) -> _Played:
    from anomaly.slo.backtest.episodes import budget_events, episodes
    from anomaly.slo.backtest.scoring import score

    wanted = episodes(course, promise, matters)
    allowed = budget_events(course, promise)
    return _Played(
        scope=where,
        start_ms=course.time_ms(0),
        end_ms=course.time_ms(course.steps - 1),
        step_ms=course.step_ms,
        measured=float(course.measured.mean()),
        target=float(1 - promise.budget),
        window_s=promise.period_s,
        spent=float(course.bad.sum()) / allowed if allowed else None,
        episodes=[(course.time_ms(first), course.time_ms(last - 1)) for first, last in wanted],
        marked=course.incident is not None,
        policies=score(course, policies, promise, wanted),
    )


def _lines(one: _Played) -> Iterator[str]:
    yield (
        f"{scope(one.scope) or 'everywhere'}: {moment(one.start_ms)} to {moment(one.end_ms)}, "
        f"measured {percent(one.measured)} of it; target {percent(one.target)} over "
        f"{duration(one.window_s)}; {percent(one.spent)} of a window's budget spent"
    )
    how = "marked" if one.marked else "found by their share of the budget"
    yield f"{len(one.episodes)} episodes, {how}"
    yield from (f"  {moment(first)} to {moment(last)}" for first, last in one.episodes[:10])
    head = ["policy", "pages", "wrong", "tickets", "paged for", "delay", "worst", "reset", "missed"]
    yield from table([*head, "spent before a page"], [_row(found) for found in one.policies])


def _row(found: Score) -> list[str]:
    return [
        found.policy,
        str(found.pages),
        str(found.wrong_pages),
        str(found.tickets),
        f"{found.paged_episodes} of {found.episodes}",
        duration(found.delay_s),
        duration(found.worst_delay_s),
        duration(found.reset_s),
        duration(found.missed_s),
        percent(found.spent),
    ]
