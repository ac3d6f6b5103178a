"""What every detector must do, applied to each one in the registry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.detectors.detector import Direction, Phase, Scores
from anomaly.detectors.parameters import Parameters
from anomaly.detectors.registry import detectors
from collectors.model import FloatArray

WARM = 200


def parameters(name: str) -> Parameters:
    """The trial settings of a detector, looking for falls."""
    trial: Parameters = detectors()[name].trial
    return replace(trial, direction=Direction.LOW, min_steps=8, step_s=5.0)


def usual(rng: np.random.Generator, step: int, series: int) -> FloatArray:
    """A healthy step: about 20 events a second, a mild season of six steps."""
    return rng.poisson(100 + 5 * (step % 6), series) / 5.0


def run(name: str, steps: list[FloatArray]) -> list[Scores]:
    detector = detectors()[name].make(parameters(name))
    detector.grow(len(steps[0]))
    return [detector.observe(values, step) for step, values in enumerate(steps)]


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


def test_finds_a_total_loss_within_two_steps(name: str) -> None:
    """Otherwise the hardest failure would be noticed late."""
    steps = [*healthy(), np.zeros(20), np.zeros(20)]
    assert (run(name, steps)[-1].phase == Phase.ANOMALOUS).all()


def test_finds_the_one_that_differs(name: str) -> None:
    """Series are judged by themselves: one falls, nineteen do not."""
    rng = np.random.default_rng(2)
    broken = [usual(rng, WARM + n, 20) for n in range(3)]
    for values in broken:
        values[7] = 0.0
    last = run(name, [*healthy(), *broken])[-1]
    assert np.flatnonzero(last.phase == Phase.ANOMALOUS).tolist() == [7]
    assert last.since_steps[7] == 3
    assert last.score[7] >= 1.0
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
    rng = np.random.default_rng(4)
    lower = [rng.poisson(20, 5) / 5.0 for _ in range(parameters(name).relearn_steps + 150)]
    scores = run(name, [*healthy(5), *lower])
    phases = np.array([s.phase[0] for s in scores[WARM:]])
    assert (phases == Phase.ANOMALOUS).any()
    assert (phases == Phase.WARMING_UP).any()
    assert phases[-1] in (Phase.NORMAL, Phase.LOW_VOLUME)


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
    wrong, gone = [np.zeros(20)] * 5, [np.full(20, np.nan)] * 5
    scores = run(name, [*healthy(), *wrong, *gone, *wrong])
    assert (scores[WARM + 9].phase == Phase.MISSING).all()
    assert (scores[WARM + 10].phase == Phase.ANOMALOUS).all()


def test_new_series_warm_up_while_old_ones_go_on(name: str) -> None:
    """Otherwise a new instance would blind the rule to all others."""
    detector = detectors()[name].make(parameters(name))
    detector.grow(1)
    rng = np.random.default_rng(6)
    for step in range(WARM):
        detector.observe(usual(rng, step, 1), step)
    detector.grow(2)
    scores = detector.observe(usual(rng, WARM, 2), WARM)
    assert scores.phase.tolist() == [Phase.NORMAL, Phase.WARMING_UP]


def test_a_constant_series_stays_silent_until_it_moves(name: str) -> None:
    """Without any noise every score would be infinite."""
    steps = [np.full(3, 50.0)] * WARM
    scores = run(name, [*steps, np.zeros(3), np.zeros(3)])
    assert (scores[WARM - 1].phase == Phase.NORMAL).all()
    assert (scores[-1].phase == Phase.ANOMALOUS).all()


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(
        st.one_of(st.floats(-1e12, 1e12), st.just(float("nan")), st.just(0.0)),
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
        detector.observe(values, step)
    mark = detector.mark()

    def rest() -> list[Scores]:
        return [detector.observe(v, half + at) for at, v in enumerate(steps[half:])]

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
        detector.observe(values, step)
    detector.forget(np.array([3]))
    scores = detector.observe(steps[-1], len(steps))
    assert scores.phase[3] == Phase.WARMING_UP
    assert scores.phase[2] != Phase.WARMING_UP
