"""Each school of adaptation switches for its own reason, on real and on synthetic ladders."""

from __future__ import annotations

import statistics
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.viewers.abr import CUSHION_S, RESERVOIR_S, Playhead, after_segment
from demo_stack.viewers.policies import POLICIES, Policy, by_utility, decide
from demo_stack.world.layout import Device

LADDER = [80.0, 125.0, 290.0]
SYNTHETIC = [400.0, 1_200.0, 3_000.0, 5_800.0, 15_000.0]
FULL_S = 30.0


def _watch(
    policy: Policy, lines: list[float], ladder: list[float], segment_s: float = 2.0
) -> tuple[list[Any], Playhead]:
    """Fetch one segment at each of these throughputs; return the rungs and where it ended."""
    head, rungs = Playhead(), []
    for kbps in lines:
        rung = decide(policy, ladder, head, segment_s)
        fetch_s = ladder[rung] * segment_s / kbps
        head = after_segment(head, rung, fetch_s=fetch_s, segment_s=segment_s, kbps=ladder[rung])
        if head.buffer_s > FULL_S:  # a full player pauses
            head = replace(head, buffer_s=FULL_S - segment_s)
        rungs.append(rung)
    return rungs, head


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("ladder", [LADDER, SYNTHETIC])
def test_a_rich_line_ends_at_the_top_and_a_poor_one_at_the_bottom(
    policy: Policy, ladder: list[float]
) -> None:
    """Each policy must find what its line bears."""
    rich, head = _watch(policy, [ladder[-1] * 10] * 60, ladder)
    assert set(rich[-10:]) == {len(ladder) - 1}
    assert (head.stalled_s, head.rebuffers) == (0, 0)
    poor, _ = _watch(policy, [ladder[0] * 0.5] * 60, ladder)
    assert set(poor[-10:]) == {0}


@pytest.mark.parametrize("policy", Policy)
def test_when_the_line_breaks_down_the_player_steps_down_and_does_not_stop(policy: Policy) -> None:
    """Every policy must prefer a worse picture to a stall."""
    rungs, head = _watch(policy, [3_000.0] * 40 + [150.0] * 60, LADDER)
    assert rungs[39] == 2
    # Who looks at the buffer alone swings between two rungs; on average it takes what there is.
    assert statistics.mean(LADDER[rung] for rung in rungs[-20:]) <= 150.0 * 1.1
    assert head.rebuffers == 0


def test_a_dip_moves_who_looks_at_throughput_but_not_who_has_a_buffer() -> None:
    """The schools must differ as they do in the papers."""
    lines = [3_000.0] * 40 + [200.0] + [3_000.0] * 3
    after = {policy: _watch(policy, lines, LADDER)[0][41] for policy in Policy}
    assert after[Policy.THROUGHPUT] < 2
    assert after[Policy.BUFFER] == 2
    assert after[Policy.BOLA] == 2


def test_bola_chooses_by_the_buffer_between_its_two_levels() -> None:
    """BOLA's choice must be that of its paper."""

    def at(buffer_s: float) -> int:
        return by_utility(LADDER, buffer_s, 2.0)

    assert (at(0.0), at(RESERVOIR_S), at(CUSHION_S)) == (0, 0, 2)
    assert {at(tenth / 10) for tenth in range(int(CUSHION_S * 10) + 1)} == {0, 1, 2}
    assert by_utility([100.0], 10.0, 2.0) == 0


@given(
    st.lists(st.floats(50, 20_000), min_size=1, max_size=6, unique=True).map(sorted),
    st.floats(0, 60),
    st.floats(0, 10),
    st.sampled_from([1.0, 2.0, 4.0]),
)
def test_more_buffer_never_means_a_lower_rung(
    ladder: list[float], buffer_s: float, more_s: float, segment_s: float
) -> None:
    """A player would look worse the safer it is."""
    assert by_utility(ladder, buffer_s, segment_s) <= by_utility(
        ladder, buffer_s + more_s, segment_s
    )


@given(st.sampled_from(Policy), st.lists(st.floats(20, 50_000), min_size=1, max_size=40))
def test_whatever_the_line_does_every_choice_exists_and_time_adds_up(
    policy: Policy, lines: list[float]
) -> None:
    """No line may make a player ask for what is not there."""
    rungs, head = _watch(policy, lines, LADDER)
    assert all(0 <= rung < len(LADDER) for rung in rungs)
    assert head.played_s >= 0
    assert (head.stalled_s > 0) == (head.rebuffers > 0)
    assert head.rebuffers <= len(lines)


def test_every_device_has_a_policy_and_every_policy_a_device() -> None:
    """A device without a policy could not play."""
    assert set(POLICIES) == set(Device)
    assert set(POLICIES.values()) == set(Policy)
