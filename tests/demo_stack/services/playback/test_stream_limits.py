"""An account plays on as many devices as its plan allows, and not on one more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_stack.services.playback import streams
from demo_stack.services.playback.streams import (
    SILENT_S,
    Beat,
    StreamTable,
    TooManyStreamsError,
    UnknownStreamError,
)


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_one_device_too_many_is_refused_until_another_ends(limit: int) -> None:
    """A plan's limit that does not hold is none."""
    table = StreamTable(Clock())
    for number in range(limit):
        table.open(f"s{number}", "a", f"d{number}", "t01", limit)
    with pytest.raises(TooManyStreamsError, match=f"allows {limit}") as refused:
        table.open("more", "a", "dx", "t01", limit)
    assert refused.value.status == 403
    table.open("other", "b", "dx", "t01", limit)
    table.close("s0")
    table.open("more", "a", "dx", "t01", limit)


def test_the_same_device_replaces_what_it_played() -> None:
    """Zapping would use up the plan."""
    table = StreamTable(Clock())
    table.open("s1", "a", "tv", "t01", 1)
    table.open("s2", "a", "tv", "t02", 1)
    assert [one.session for one in table.active("a")] == ["s2"]
    with pytest.raises(UnknownStreamError):
        table.beat("s1", "a", Beat(position_s=1))


def test_silence_ends_a_stream_and_heartbeats_keep_it() -> None:
    """A crashed player would block its account for good."""
    clock = Clock()
    table = StreamTable(clock)
    table.open("s1", "a", "tv", "t01", 1)
    for _ in range(5):
        clock.s += SILENT_S - 1
        heard = table.beat("s1", "a", Beat(position_s=clock.s, rebuffers=2))
    assert (heard.position_s, heard.rebuffers) == (clock.s, 10)
    with pytest.raises(TooManyStreamsError):
        table.open("s2", "a", "phone", "t01", 1)
    clock.s += SILENT_S + 1
    table.open("s2", "a", "phone", "t01", 1)
    with pytest.raises(UnknownStreamError, match="start it again"):
        table.beat("s1", "a", Beat(position_s=0))


def test_nobody_speaks_for_another_account() -> None:
    """A stranger must not end or keep somebody's stream."""
    table = StreamTable(Clock())
    table.open("s1", "a", "tv", "t01", 1)
    with pytest.raises(UnknownStreamError):
        table.beat("s1", "b", Beat(position_s=0))


def test_the_table_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up sessions would fill memory."""
    monkeypatch.setattr(streams, "MAX_STREAMS", 10)
    table = StreamTable(Clock())
    for number in range(50):
        table.open(f"s{number}", f"a{number}", "tv", "t01", 1)
    assert len(table) == 10
    assert table.active("a0") == []
    assert len(table.active("a49")) == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["open", "close", "beat"]), st.integers(0, 2), st.integers(0, 4),
            st.floats(0, 40),
        ),
        max_size=60,
    )
)  # fmt: skip
def test_whatever_happens_the_limit_holds_and_the_counts_agree(
    steps: list[tuple[str, int, int, float]],
) -> None:
    """No order of events may let one stream too many start."""
    clock = Clock()
    table = StreamTable(clock)
    for number, (action, account, device, later) in enumerate(steps):
        clock.s += later
        name = f"a{account}"
        mine = table.active(name)
        try:
            if action == "open":
                table.open(f"s{number}", name, f"d{device}", "t", 2)
            elif mine and action == "close":
                table.close(mine[0].session)
            elif mine:
                table.beat(mine[0].session, name, Beat(position_s=1))
        except TooManyStreamsError:
            assert len({one.device for one in mine}) == 2
        assert all(len(table.active(f"a{n}")) <= 2 for n in range(3))
        assert sum(len(table.active(f"a{n}")) for n in range(3)) <= len(table)
