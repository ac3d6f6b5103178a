"""Policies on a course of events: figures of the SRE Workbook's arithmetic, and files that lie."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from anomaly.findings import Urgency
from anomaly.slo.backtest.course import Course, course_of, read_csv
from anomaly.slo.backtest.episodes import episodes
from anomaly.slo.backtest.playing import Promise, firing
from anomaly.slo.backtest.policies import KNOWN, Policy, read_policies
from anomaly.slo.backtest.scoring import Score, score
from collectors.errors import ConfigError

STEP_MS = 10_000
MONTH = Promise(budget=Fraction("0.001"), period_s=30 * 86_400)
HOURS = 360


def course(bad_share: Sequence[tuple[int, float]]) -> Course:
    """Return a day of nothing bad and then so many steps with such a share of bad events each."""
    shares = np.concatenate([np.zeros(24 * HOURS), *(np.full(n, share) for n, share in bad_share)])
    total = np.full(len(shares), 1_000.0)
    return course_of(STEP_MS, STEP_MS, total * (1 - shares), total)


def played(bad_share: Sequence[tuple[int, float]]) -> dict[str, Score]:
    what = course(bad_share)
    return {one.policy: one for one in score(what, KNOWN, MONTH, episodes(what, MONTH))}


# error share for so long -> minutes until the last approach pages, and until it stops after it
FIRES = [
    ("15 % for ten minutes", 0.15, 60, 5.76, 4.52),
    ("10 % for half an hour", 0.10, 180, 8.64, 28.2),
    ("2 % for two hours", 0.02, 720, 43.2, 21.0),
    ("a full outage", 1.0, 60, 0.864, 29.82),
]


@pytest.mark.parametrize(
    ("share", "steps", "delay", "reset"), [f[1:] for f in FIRES], ids=[f[0] for f in FIRES]
)
def test_delay_and_reset_are_those_of_the_arithmetic(
    share: float, steps: int, delay: float, reset: float
) -> None:
    """Threshold over error times window: a backtest that says otherwise misleads the choice."""
    found = played([(steps, share), (12 * HOURS, 0.0)])["6-windows-and-burn-rates"]
    assert (found.episodes, found.paged_episodes, found.wrong_pages) == (1, 1, 0)
    assert found.delay_s == pytest.approx(delay * 60, abs=STEP_MS / 1_000)
    assert found.reset_s == pytest.approx(reset * 60, abs=2 * STEP_MS / 1_000)


@pytest.mark.parametrize(
    ("share", "steps", "delay"), [f[1:4] for f in FIRES], ids=[f[0] for f in FIRES]
)
def test_we_page_when_our_windows_say(share: float, steps: int, delay: float) -> None:
    """The watch of a server and the arithmetic of a backtest must not be two ideas."""
    found = played([(steps, share), (12 * HOURS, 0.0)])
    ours, plain = found["tocsin"], found["6-windows-and-burn-rates"]
    assert ours.delay_s == pytest.approx(delay * 60, abs=2 * STEP_MS / 1_000)
    assert (ours.pages, ours.wrong_pages) == (plain.pages, plain.wrong_pages)
    assert (ours.reset_s or 0) > (plain.reset_s or 0)
    assert ours.tickets <= plain.tickets


def test_each_approach_has_the_weakness_that_it_is_known_for() -> None:
    """The table would otherwise not tell the six apart."""
    found = played([(180, 0.10), (12 * HOURS, 0.0), (180, 0.02), (60 * HOURS, 0.0)])
    assert found["1-short-window"].delay_s == 0
    assert found["3-lasting"].paged_episodes == 0
    assert (found["2-long-window"].reset_s or 0) > 24 * 3_600
    assert found["5-burn-rates"].reset_s > (found["6-windows-and-burn-rates"].reset_s or 0)  # type: ignore[operator]


def test_small_noise_pages_the_short_window_only() -> None:
    """Otherwise wrong pages, which wear people out, would not be counted."""
    found = played([(3, 0.5), (12 * HOURS, 0.0)] * 3)
    assert found["1-short-window"].wrong_pages == 3
    assert found["6-windows-and-burn-rates"].pages == 0


def test_what_is_not_measured_neither_fires_nor_resets() -> None:
    """An outage that takes the measurement along would end the page about itself."""
    total = np.full(24 * HOURS, 1_000.0)
    good = total.copy()
    good[1_000:1_100] = 0.0
    total[1_100:1_400] = good[1_100:1_400] = np.nan
    found = firing(course_of(STEP_MS, STEP_MS, good, total), KNOWN[5], MONTH, Urgency.PAGE)
    assert [first for first, _ in found] == [1_005]
    assert found[0][1] == 1_400


def test_a_marked_file_says_itself_when_it_was_wrong() -> None:
    """Whoever knows the incidents wants to be measured against these."""
    lines = ["time,total,good,incident"]
    for at in range(100):
        bad = 40 <= at < 60
        lines.append(f"{1_700_000_000 + at * 60},100,{50 if bad else 100},{int(bad)}")
    what = read_csv(lines, "x.csv")
    assert (what.step_ms, what.steps) == (60_000, 100)
    assert episodes(what, MONTH) == [(40, 60)]
    assert what.bad.sum() == 20 * 50


def test_rows_that_are_missing_were_not_measured() -> None:
    """A hole in a file is no outage and no health."""
    lines = ["time,total,bad", "2026-01-01T00:00,10,1", "2026-01-01T00:01,10,0"]
    what = read_csv([*lines, "2026-01-01T00:02,,", "2026-01-01T00:05,10,10"], "x.csv")
    assert what.measured.tolist() == [True, True, False, False, False, True]
    assert what.bad.tolist() == [1, 0, 0, 0, 0, 10]


WRONG = [
    (["time,total"], "needs the columns time, total and good or bad"),
    (["time,total,bad", "1,1,1"], "at least two rows"),
    (["time,total,bad", "60,1,x", "120,1,1"], "x.csv:2: could not convert"),
    (["time,total,bad", "soon,1,0", "120,1,1"], "x.csv:2: Invalid isoformat"),
    (["time,total,bad", "120,1,0", "60,1,1"], "x.csv:3: times must rise"),
    (["time,total,bad", "1,1,0", "2,1,0", "3,1,0", "9999999999,1,0"], "at most 5000000 are read"),
]


@pytest.mark.parametrize(("lines", "words"), WRONG)
def test_a_file_that_can_not_be_used_says_where(lines: list[str], words: str) -> None:
    """Otherwise a slip in line 30,000 would cost an evening, or all memory."""
    with pytest.raises(ConfigError, match=words):
        read_csv(lines, "x.csv")


def test_policies_of_a_file() -> None:
    """A team compares its own idea with the known ones."""
    text = "- name: mine\n  tiers:\n    - {urgency: page, long: 1h, burn: 14.4, lasting: 30m}\n"
    (mine,) = read_policies(text, "p.yaml")
    tier = mine.tiers[0]
    assert (tier.long_s, tier.short_s, float(tier.burn), tier.for_s) == (3_600, 3_600, 14.4, 1_800)
    short = course([(120, 0.10), (12 * HOURS, 0.0)])
    again = Policy(name="without", tiers=(KNOWN[4].tiers[0],))
    assert firing(short, mine, MONTH, Urgency.PAGE)[0][0] == (
        firing(short, again, MONTH, Urgency.PAGE)[0][0] + 180
    )
    with pytest.raises(ConfigError, match=r"p.yaml:3: .*tiers\[0\].burn: must be more than 0"):
        read_policies(text.replace("14.4", "0"), "p.yaml")
