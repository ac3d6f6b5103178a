"""Charts in a terminal."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.graph.terminal import draw
from collectors.graph.unit_prefix import TickLabels
from collectors.model import Frame

ANSI = re.compile(r"\x1b\[\d+m")
BRAILLE = re.compile("[\N{BRAILLE PATTERN DOTS-1}-\N{BRAILLE PATTERN DOTS-12345678}]")


def make_frame(*rows: list[float], labels: list[str] | None = None) -> Frame:
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)
    return Frame(
        start_ms=60_000,
        step_ms=60_000,
        tags=[{}] * len(rows),
        labels=labels or [f"line {i}" for i in range(len(rows))],
        values=values,
    )


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    """A chart in the terminal would be mirrored."""
    text = draw(make_frame([1.0, 2.0, 3.0, 4.0]), width=31, height=4, color=False)
    rows = [line.split("┤", 1)[1] for line in text.splitlines() if "┤" in line]
    starts = [found.start() for found in map(BRAILLE.search, rows) if found]
    assert len(starts) == 4
    assert starts == sorted(starts, reverse=True)
    assert text.splitlines()[0].startswith("     4.00")
    assert text.splitlines()[3].startswith("     1.00")
    assert text.splitlines()[-1] == "■ line 0  min 1.00, max 4.00, avg 2.50, last 4.00"


def test_a_gap_leaves_its_columns_empty() -> None:
    """Missing data would look like a straight line."""
    text = draw(make_frame([1.0, math.nan, 1.0]), width=41, height=3, color=False)
    drawn = "".join(line for line in text.splitlines() if BRAILLE.search(line))
    middle = drawn.split("┤")[1]
    assert " " * 8 in middle.strip()


def test_colors_are_ended_on_every_row_and_can_be_turned_off() -> None:
    """The prompt after a chart would be coloured, as would a log file."""
    frame = make_frame([1.0, 5.0], [5.0, 1.0])
    colored = draw(frame, width=40, height=4)
    assert {"\x1b[34m", "\x1b[33m"} <= set(ANSI.findall(colored))
    assert all(
        ANSI.findall(row)[-1] == "\x1b[0m" for row in colored.splitlines() if ANSI.search(row)
    )
    assert not ANSI.search(draw(frame, width=40, height=4, color=False))


def test_labels_cannot_steer_the_terminal() -> None:
    """A tag could clear the screen of who looks at it."""
    text = draw(make_frame([1.0], labels=["\x1b[2J\rboo"]), color=False)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "boo" in text


@pytest.mark.parametrize("labels", list(TickLabels))
def test_no_lines_and_no_data_are_drawn_too(labels: TickLabels) -> None:
    """An expression without data would be an error in the terminal."""
    empty = Frame(start_ms=0, step_ms=1, tags=[], labels=[], values=np.zeros((0, 0)))
    assert "┤" in draw(empty, labels=labels)
    assert "no data" in draw(make_frame([math.nan]), labels=labels)


def test_a_long_legend_is_cut_and_says_so() -> None:
    """The chart would scroll away above its legend."""
    frame = make_frame(*[[float(i)] for i in range(25)])
    assert "… 5 more" in draw(frame, color=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.floats(), min_size=4, max_size=4), max_size=3),
    st.integers(-5, 200),
    st.integers(-5, 60),
)
def test_any_values_fit_into_the_width(rows: list[list[float]], width: int, height: int) -> None:
    """Rows would wrap and tear the chart apart."""
    text = draw(make_frame(*rows), width=width, height=height, color=False)
    chart = [line for line in text.splitlines() if "┤" in line]
    assert all(len(line) <= max(20, width) for line in chart)
