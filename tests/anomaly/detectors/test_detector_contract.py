"""What every detector must do, applied to each one in the registry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.detectors.detector import Detector, Direction, Phase, Scores
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import detectors
from collectors.model import FloatArray

WARM = 200
VOLUME = 60.0
"""Of so many a second the values are a part, for detectors that ask."""
MOVES = sorted(set(detectors()) - {"flat"})
"""Detectors that heed where a line is; "flat" heeds only that it moves."""


def parameters(name: str) -> Parameters:
    """The trial settings of a detector, looking for falls."""
    trial: Parameters = detectors()[name].trial
    return replace(trial, direction=Direction.LOW, min_steps=8, step_s=5.0)


def observed(name: str, detector: Detector, values: FloatArray, step: int) -> Scores:
    """One step, of a known whole where the detector asks for it."""
    whole = np.where(np.isnan(values), np.nan, VOLUME) if detectors()[name].volume else None
    return detector.observe(values, step, whole)


def loss(name: str, series: int = 20, more: int = 0) -> list[FloatArray]:
    """As many steps of a total loss as the detector says that it needs."""
    return [np.zeros(series)] * (detectors()[name].loss_steps + more)


def usual(rng: np.random.Generator, step: int, series: int) -> FloatArray:
    """A healthy step: about 20 events a second, a mild season of six steps."""
    return rng.poisson(100 + 5 * (step % 6), series) / 5.0


def run(name: str, steps: list[FloatArray]) -> list[Scores]:
    detector = detectors()[name].make(parameters(name))
    detector.grow(len(steps[0]))
    return [observed(name, detector, values, step) for step, values in enumerate(steps)]


def healthy(series: int = 20, seed: int = 1) -> list[FloatArray]:
    rng = np.random.default_rng(seed)
    return [usual(rng, step, series) for step in range(WARM)]


@pytest.fixture(params=sorted(detectors()))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_says_that_it_is_warming_up_and_nothing_else(name: str) -> None:
    """A judgement before there is a baseline would be a guess."""
    first = run(name, healthy()[: parameters(name).min_steps])
    for scores in first:
        assert (scores.phase == Phase.WARMING_UP).all()
        assert np.isnan(scores.score).all()
        assert np.isnan(scores.expected).all()


def test_is_quiet_on_a_healthy_series(name: str) -> None:
    """Otherwise people would be woken by noise."""
    later = run(name, healthy())[40:]
    assert all((scores.phase == Phase.NORMAL).all() for scores in later)


def test_finds_a_total_loss_as_soon_as_it_says(name: str) -> None:
    """Otherwise the hardest failure would be noticed late: within two steps, if it says no more."""
    steps = [*healthy(), *loss(name)]
    assert (run(name, steps)[-1].phase == Phase.ANOMALOUS).all()


def test_finds_the_one_that_differs(name: str) -> None:
    """Series are judged by themselves: one falls, nineteen do not."""
    rng = np.random.default_rng(2)
    count = max(3, detectors()[name].loss_steps + 1)
    broken = [usual(rng, WARM + n, 20) for n in range(count)]
    for values in broken:
        values[7] = 0.0
    last = run(name, [*healthy(), *broken])[-1]
    assert np.flatnonzero(last.phase == Phase.ANOMALOUS).tolist() == [7]
    assert last.since_steps[7] == pytest.approx(count, abs=1)
    assert last.score[7] >= 0.5
    assert last.expected[7] == pytest.approx(21.5, rel=0.3)


def test_the_other_side_is_not_wrong(name: str) -> None:
    """A rule that looks for falls must not page for a good day."""
    steps = [*healthy(), *[np.full(20, 60.0)] * 3]
    assert not (run(name, steps)[-1].phase == Phase.ANOMALOUS).any()


def test_scores_before_it_learns(name: str) -> None:
    """What was expected at a step does not depend on the value of that step."""
    before = healthy()
    one = run(name, [*before, np.full(20, 3.0)])[-1]
    other = run(name, [*before, np.full(20, 30.0)])[-1]
    np.testing.assert_array_equal(one.expected, other.expected)


def test_an_anomaly_does_not_become_the_baseline(name: str) -> None:
    """Otherwise a long outage would end by being learned."""
    steps = [*healthy(), *[np.zeros(20)] * 120]
    scores = run(name, steps)
    assert (scores[-1].phase == Phase.ANOMALOUS).all()
    assert (scores[-1].expected > 10.0).all()


def test_recovers_when_the_values_do(name: str) -> None:
    """Otherwise an incident would stay open after its end."""
    rng = np.random.default_rng(3)
    back = [usual(rng, WARM + 20 + n, 20) for n in range(12)]
    last = run(name, [*healthy(), *[np.zeros(20)] * 20, *back])[-1]
    assert (last.phase == Phase.NORMAL).all()


def test_a_state_that_lasts_is_learned_afresh(name: str) -> None:
    """After ``relearn_steps`` it starts to warm up again rather than shout for ever."""
    if name not in MOVES:
        pytest.skip("a line that is lower and moves has nothing that would last")
    rng = np.random.default_rng(4)
    lower = [rng.poisson(20, 5) / 5.0 for _ in range(parameters(name).relearn_steps + 150)]
    scores = run(name, [*healthy(5), *lower])
    phases = np.array([s.phase[0] for s in scores[WARM:]])
    assert (phases == Phase.ANOMALOUS).any()
    assert (phases == Phase.WARMING_UP).any()
    assert phases[-1] in (Phase.NORMAL, Phase.LOW_VOLUME)


def test_what_is_held_is_not_learned_afresh(name: str) -> None:
    """An outage that users suffer from would become normal after an hour, and nobody would know."""
    if name not in MOVES:
        pytest.skip("a line that is lower and moves has nothing that would last")
    rng = np.random.default_rng(4)
    lower = [rng.poisson(20, 5) / 5.0 for _ in range(parameters(name).relearn_steps + 150)]
    detector = detectors()[name].make(parameters(name))
    detector.grow(5)
    detector.hold(np.array([True, False, False, False, False]))
    rows = np.array([*healthy(5), *lower])
    whole = np.full(rows.shape, VOLUME) if detectors()[name].volume else None
    phases = detector.observe_steps(rows, 0, whole).phase[WARM:]
    held, free = phases[:, 0], phases[:, 1:]
    assert (held == Phase.ANOMALOUS).any()
    assert not (held == Phase.WARMING_UP).any()
    assert (free == Phase.WARMING_UP).any()


def test_missing_values_are_missing_and_memory_is_kept(name: str) -> None:
    """Otherwise a gap would look like a fall, or erase what was learned."""
    gone = [np.full(20, np.nan)] * 50
    scores = run(name, [*healthy(), *gone, *healthy(seed=5)[:10]])
    assert (scores[WARM].phase == Phase.NORMAL).all()
    assert (scores[WARM + parameters(name).missing_steps - 1].phase == Phase.MISSING).all()
    assert (scores[WARM + 49].phase == Phase.MISSING).all()
    assert (scores[-1].phase == Phase.NORMAL).all()


def test_a_gap_does_not_end_an_anomaly(name: str) -> None:
    """No data is no recovery."""
    wrong, gone = loss(name, more=3), [np.full(20, np.nan)] * 5
    back = WARM + len(wrong) + len(gone)
    scores = run(name, [*healthy(), *wrong, *gone, *wrong])
    assert (scores[back - 1].phase == Phase.MISSING).all()
    assert (scores[back].phase == Phase.ANOMALOUS).all()


def test_new_series_warm_up_while_old_ones_go_on(name: str) -> None:
    """Otherwise a new instance would blind the rule to all others."""
    detector = detectors()[name].make(parameters(name))
    detector.grow(1)
    rng = np.random.default_rng(6)
    for step in range(WARM):
        observed(name, detector, usual(rng, step, 1), step)
    detector.grow(2)
    scores = observed(name, detector, usual(rng, WARM, 2), WARM)
    assert scores.phase.tolist() == [Phase.NORMAL, Phase.WARMING_UP]


def test_a_constant_series_stays_silent_until_it_moves(name: str) -> None:
    """Without any noise every score would be infinite."""
    steps = [np.full(3, 50.0)] * WARM
    scores = run(name, [*steps, *loss(name, 3)])
    assert (scores[WARM - 1].phase == Phase.NORMAL).all()
    assert (scores[-1].phase == Phase.ANOMALOUS).all() == (name in MOVES)


def test_a_constant_series_may_change_a_little(name: str) -> None:
    """100 that become 100.05 would page "rose to 100, expected 100"."""
    steps = [np.full(3, 100.0)] * WARM + [np.full(3, 100.05)] * 30
    scores = run(name, steps)
    assert not any((one.phase == Phase.ANOMALOUS).any() for one in scores)


def test_a_lone_one_among_zeros_is_nothing(name: str) -> None:
    """A single restart, or error, in an hour of none would page each time."""
    steps = [np.zeros(3) for _ in range(2 * WARM)]
    for at in (WARM, WARM + 90):
        steps[at] = np.full(3, 0.2)  # one event in a step of five seconds
    high = replace(parameters(name), direction=Direction.HIGH)
    if name == "counts":
        high = replace(high, change_to=3.0)  # type: ignore[call-arg]  # its own setting
    detector = detectors()[name].make(high)
    scores = [observed(name, detector, values, step) for step, values in enumerate(steps)]
    assert not any((one.phase == Phase.ANOMALOUS).any() for one in scores)


@pytest.mark.parametrize("absurd", [np.inf, -np.inf, 1e300, np.nan])
def test_what_is_no_number_teaches_nothing(name: str, absurd: float) -> None:
    """One infinite value would make the usual one infinite, and the line blind for ever."""
    before, after = healthy()[: WARM // 2], healthy()[WARM // 2 :]
    scores = run(name, [*before, np.full(20, absurd), *after, *loss(name, more=1)])
    assert (scores[len(before)].phase == Phase.NORMAL).all()
    assert (scores[-1].phase == Phase.ANOMALOUS).all()
    assert np.isfinite(scores[-1].expected).all()


def test_one_point_is_too_little_to_say_anything(name: str) -> None:
    """What came once has nothing to be compared with."""
    scores = run(name, [np.array([7.0]), *[np.array([np.nan])] * 20])
    assert all(one.phase[0] == Phase.WARMING_UP for one in scores)


def test_the_future_changes_nothing_that_was_said(name: str) -> None:
    """A judgement made from what comes later can't be had when it is needed."""
    rng = np.random.default_rng(7)
    steps = [*healthy(), *loss(name), *healthy(seed=8)[:20]]
    other = [*steps[: WARM + 5], *[rng.normal(1e6, 1e5, 20) for _ in range(40)]]
    for one, again in zip(run(name, steps)[: WARM + 5], run(name, other), strict=False):
        np.testing.assert_array_equal(one.phase, again.phase)
        np.testing.assert_array_equal(one.score, again.score)


def test_the_order_of_series_does_not_matter(name: str) -> None:
    """Who comes first in a table would be judged otherwise."""
    steps = healthy()
    for values in steps[WARM - 12 :]:
        values[3] = 0.0
    order = np.random.default_rng(9).permutation(20)
    whole, turned = run(name, steps), run(name, [values[order] for values in steps])
    for one, other in zip(whole, turned, strict=True):
        np.testing.assert_array_equal(one.phase[order], other.phase)
        np.testing.assert_array_equal(one.score[order], other.score)


def test_many_steps_at_once_are_as_one_by_one(name: str) -> None:
    """At a start the past is judged at once: the state must be the one that it would have been."""
    steps = [*healthy(), *loss(name, more=2), *[np.full(20, np.nan)] * 4, *healthy(seed=3)[:9]]
    table = np.array(steps)
    whole = np.where(np.isnan(table), np.nan, VOLUME) if detectors()[name].volume else None
    detector = detectors()[name].make(parameters(name))
    at_once = detector.observe_steps(table, 0, whole)
    for step, one in enumerate(run(name, steps)):
        np.testing.assert_array_equal(one.phase, at_once.phase[step])
        np.testing.assert_array_equal(one.score, at_once.score[step])
        np.testing.assert_array_equal(one.since_steps, at_once.since_steps[step])


def test_our_own_absence_is_no_anomaly(name: str) -> None:
    """A restart of tocsin after some hours would page for every line that there is."""
    steps = healthy()
    detector = detectors()[name].make(parameters(name))
    for step, values in enumerate(steps):
        observed(name, detector, values, step)
    for step, values in enumerate(healthy(seed=11)[:30], start=WARM + 5_000):
        assert not (observed(name, detector, values, step).phase == Phase.ANOMALOUS).any()


def test_a_counter_that_begins_again_is_no_anomaly(name: str) -> None:
    """A rate has a step without a value where its counter was reset, and goes on."""
    steps = healthy()
    for at in range(40, WARM, 25):
        steps[at] = np.full(20, np.nan)
    assert not any((one.phase == Phase.ANOMALOUS).any() for one in run(name, steps))


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.floats(allow_nan=False), st.just(float("nan")), st.just(0.0)),
        min_size=1,
        max_size=60,
    ),
    which=st.sampled_from(sorted(detectors())),
)
def test_any_input_gives_a_judgement(values: list[float], which: str) -> None:
    """Phases are always known codes, scores are never negative or infinite, and runs repeat."""
    steps = [np.array([value]) for value in values]
    scores = run(which, steps)
    again = run(which, steps)
    for one, other in zip(scores, again, strict=True):
        assert int(one.phase[0]) in set(Phase)
        assert np.isnan(one.score[0]) or 0 <= one.score[0] < np.inf
        np.testing.assert_array_equal(one.score, other.score)
        np.testing.assert_array_equal(one.phase, other.phase)


def test_it_can_go_back_and_comes_to_the_same(name: str) -> None:
    """Late data are judged again from a mark: one that remembers too little tells another story."""
    steps = healthy()
    detector = detectors()[name].make(parameters(name))
    half = len(steps) // 2
    for step, values in enumerate(steps[:half]):
        observed(name, detector, values, step)
    mark = detector.mark()

    def rest() -> list[Scores]:
        return [observed(name, detector, v, half + at) for at, v in enumerate(steps[half:])]

    first = rest()
    for _ in range(2):  # a mark can be used again
        detector.back_to(mark)
        again = rest()
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one.score, other.score)
            np.testing.assert_array_equal(one.phase, other.phase)


def test_a_series_whose_place_is_given_away_is_forgotten(name: str) -> None:
    """Who comes after would be judged by the past of somebody else."""
    steps = healthy()
    detector = detectors()[name].make(parameters(name))
    for step, values in enumerate(steps):
        observed(name, detector, values, step)
    detector.forget(np.array([3]))
    scores = observed(name, detector, steps[-1], len(steps))
    assert scores.phase[3] == Phase.WARMING_UP
    assert scores.phase[2] != Phase.WARMING_UP
