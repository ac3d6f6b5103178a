"""Players fetch what their line bears, switch when it changes, and rather look worse than stop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.services.playback.ladder import LADDER, SEGMENT_S, renditions_for
from demo_stack.viewers.abr import Playhead, after_segment, by_buffer, by_throughput, choose

KBPS = [rung.kbps for rung in LADDER]


def _watch(line_kbps: list[float]) -> tuple[list[int], Playhead]:
    """Fetch one segment at each of these throughputs."""
    head, rungs = Playhead(), []
    for throughput in line_kbps:
        rung = choose(KBPS, head)
        fetch_s = KBPS[rung] * SEGMENT_S / throughput
        head = after_segment(head, rung, fetch_s=fetch_s, segment_s=SEGMENT_S, kbps=KBPS[rung])
        if head.buffer_s > 30:  # a player pauses fetching when its buffer is full
            head = Playhead(
                buffer_s=30 - SEGMENT_S,
                throughput_kbps=head.throughput_kbps,
                started=True,
                stalled_s=head.stalled_s,
                switches=head.switches,
                rung=rung,
            )
        rungs.append(rung)
    return rungs, head


@pytest.mark.parametrize(
    ("throughput", "rung"), [(0, 0), (499, 0), (1_500, 1), (7_250, 3), (18_749, 3), (18_750, 4)]
)
def test_by_throughput_keeps_a_fifth_in_hand(throughput: int, rung: int) -> None:
    """Without a reserve the smallest dip stalls the picture."""
    assert by_throughput(KBPS, throughput) == rung


@pytest.mark.parametrize(("buffer_s", "rung"), [(0, 0), (5, 0), (8, 2), (12, 3), (20, 4), (99, 4)])
def test_by_buffer_climbs_from_the_reservoir_to_the_cushion(buffer_s: int, rung: int) -> None:
    """The ladder over the buffer must be the published one."""
    assert by_buffer(KBPS, buffer_s) == rung


def test_a_steady_line_settles_on_what_it_bears_and_never_stalls() -> None:
    """A player that swings on a steady line looks broken."""
    rungs, head = _watch([8_000.0] * 60)
    assert rungs[0] == 0
    assert set(rungs[-20:]) <= {3, 4}
    assert rungs[-20:].count(3) >= 10
    assert head.stalled_s == 0


def test_when_the_line_breaks_down_it_looks_worse_but_goes_on() -> None:
    """A stall is worse than a bad picture."""
    rungs, head = _watch([20_000.0] * 30 + [3_000.0] * 40)
    assert rungs[29] == 4
    assert set(rungs[-20:]) <= {1, 2}
    assert head.stalled_s == 0
    stubborn = Playhead(buffer_s=26.0, throughput_kbps=1.0, started=True, rung=4)
    for _ in range(40):
        fetch_s = KBPS[4] * SEGMENT_S / 3_000
        stubborn = after_segment(stubborn, 4, fetch_s=fetch_s, segment_s=SEGMENT_S, kbps=KBPS[4])
    assert stubborn.stalled_s > 300


@given(st.lists(st.floats(100, 100_000), min_size=1, max_size=60))
def test_whatever_the_line_does_time_adds_up(line: list[float]) -> None:
    """Played, waited and fetched must add up, or the ratio is wrong."""
    rungs, head = _watch(line)
    assert all(0 <= rung < len(KBPS) for rung in rungs)
    assert 0 <= head.buffer_s <= 30 + SEGMENT_S
    assert head.stalled_s >= 0


@pytest.mark.parametrize(
    ("device", "best"), [("phone", "720p"), ("web", "1080p"), ("tv", "2160p"), ("toaster", "720p")]
)
def test_a_device_gets_no_rendition_that_it_cannot_show(device: str, best: str) -> None:
    """Pixels that nobody sees cost bandwidth."""
    assert renditions_for(device)[-1].name == best
