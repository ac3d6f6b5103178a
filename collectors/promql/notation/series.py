"""Series as tests of rules write them: ``up{job="a"} 0+1x3 _ stale``.

Values stand at the steps of an interval, from its start: a number; ``_`` for none; ``stale`` where
the series ends; ``a+bxN`` for ``a`` and N more, each ``b`` above the one before; ``axN`` for ``a``
and N more of it; ``_xN`` for N without one. Native histograms, in ``{{…}}``, are told, not kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from collectors.model import FloatArray
from collectors.promql.labels.matchers import NAME_LABEL
from collectors.promql.language.selectors import read_selector_parts
from collectors.promql.language.stream import TokenStream
from collectors.promql.samples.columns import STALE_BITS

_NUMBER = r"[+-]?(?:inf|nan|(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
_VALUE = re.compile(
    rf"(?P<start>{_NUMBER})(?:(?P<step>[+-](?:inf|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+))?x(?P<times>\d+))?",
    re.IGNORECASE,
)
_GAP = re.compile(r"_(?:x(\d+))?")
_STALE = re.compile(r"stale(?:x(\d+))?")
MAX_NOTED_VALUES = 1_000_000
"""Values that one line may expand to."""

STALE = float(np.array([STALE_BITS], dtype=np.int64).view(np.float64)[0])
"""The value that ends a series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedSeries:
    """A line of the notation.

    Attributes:
        labels: Its label set.
        values: (N,) a value a step.
        present: (N,) where there is one.
        native: Whether some values are native histograms, which are left out.
    """

    labels: dict[str, str]
    values: FloatArray
    present: np.ndarray
    native: bool


def read_series(line: str) -> NotedSeries:
    """Read a line.

    Raises:
        ValueError: It is not in this notation.
    """
    labels, rest = read_labels(line)
    values: list[float] = []
    present: list[bool] = []
    native = "{{" in rest
    # A histogram may hold blanks, and be one of a sequence.
    flat = re.sub(r"\{\{.*?\}\}", lambda found: re.sub(r"\s+", "", found[0]), rest)
    for word in flat.split():
        more, there = _expanded(word)
        values += more
        present += [there] * len(more)
        if len(values) > MAX_NOTED_VALUES:
            raise ValueError(f"more than {MAX_NOTED_VALUES} values in a line")
    return NotedSeries(
        labels=labels,
        values=_bits(values),
        present=np.array(present, dtype=np.bool_),
        native=native,
    )


def read_labels(line: str) -> tuple[dict[str, str], str]:
    """Return the label set that a line begins with, and the rest of the line.

    Raises:
        ValueError: It begins with none.
    """
    text = line.strip()
    end = _end_of_labels(text)
    stream = TokenStream(text[:end])
    name, matchers = read_selector_parts(stream)
    labels = {matcher.name: matcher.value for matcher in matchers if matcher.value}
    if name:
        labels[NAME_LABEL] = name
    return labels, text[end:]


def _end_of_labels(text: str) -> int:
    """Return where a label set ends: with its closing brace, or its name."""
    found = re.match(
        r"[^\s{]*\s*(?:\{(?!\{)(?:[^\"'}]|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')*\})?", text
    )
    return found.end() if found else 0


def _expanded(word: str) -> tuple[list[float], bool]:
    if word.startswith("{{"):
        found = re.search(r"x(\d+)$", word)
        return [0.0] * (int(found[1]) + 1 if found else 1), False
    if gap := _GAP.fullmatch(word):
        return [0.0] * _most(gap[1] or "1"), False
    if stale := _STALE.fullmatch(word):
        return [STALE] * (_most(stale[1]) + 1 if stale[1] else 1), True
    value = _VALUE.fullmatch(word)
    if value is None:
        raise ValueError(f"{word!r} is no value")
    number, step = _number(value["start"]), float(value["step"] or 0)
    # Added up, as rounding then is what it is elsewhere.
    found_values = [number]
    for _ in range(_most(value["times"] or "0")):
        found_values.append(found_values[-1] + step if step else number)
    return found_values, True


def _number(text: str) -> float:
    return float(text.replace("_", ""))


def _most(text: str) -> int:
    count = int(text)
    if count > MAX_NOTED_VALUES:
        raise ValueError(f"{count} values, limit of {MAX_NOTED_VALUES}")
    return count


def _bits(values: list[float]) -> FloatArray:
    """Return values as an array in which the end of a series keeps its bits."""
    found = np.array(values, dtype=np.float64)
    stale = [at for at, value in enumerate(values) if value is STALE]
    found.view(np.int64)[stale] = STALE_BITS
    return found
