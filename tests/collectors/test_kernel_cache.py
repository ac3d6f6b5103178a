"""Compiled kernels are kept while what they are made of stays the same, and no longer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher

from collectors.kernel_cache import digest_of

_PART = """
from collectors.kernel import called, inlined

STEP = 10

@inlined
def half(value):
    '''Halve.'''
    return value / 2

@called
def far(value):
    return value + STEP
"""
_WHOLE = """
from typing import NamedTuple
import numpy as np
from numpy.typing import NDArray
from cached_part import far, half
from collectors.kernel import kernel

class Record(NamedTuple):
    low: NDArray[np.float64]
    high: NDArray[np.float64]

@kernel
def sums(record):
    '''Add up.'''
    total = 0.0
    for i in range(len(record.low)):
        total += half(record.low[i]) + far(record.high[i])
    return total

@kernel
def other(values):
    return values[0]

def run():
    return sums(Record(low=np.full(1, 2.0), high=np.full(1, 30.0))), other(np.ones(1))
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Two modules, one with kernels, one with what is compiled into them."""
    # Python takes a compiled source for current if length and second of the edit are the same.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "cached_part.py").write_text(_PART)
    (tmp_path / "cached_whole.py").write_text(_WHOLE)
    yield tmp_path
    _forget()


def _forget() -> None:
    for name in ("cached_part", "cached_whole"):
        sys.modules.pop(name, None)
    invalidate_caches()


def _edit(package: Path, file: str, old: str, new: str) -> None:
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))


def _run() -> tuple[tuple[float, float], set[str]]:
    """Run both kernels as after a start; return the answers and which were compiled."""
    _forget()
    module: Any = import_module("cached_whole")
    answers = module.run()
    both = {"sums": module.sums, "other": module.other}
    return answers, {name for name, one in both.items() if sum(one.stats.cache_misses.values())}


@pytest.mark.parametrize(
    ("file", "old", "new", "answer", "compiled"),
    [
        ("cached_whole.py", "'''Add up.'''", "'''Add all up.'''", 41.0, set()),
        ("cached_whole.py", "import numpy", "# a line more\nimport numpy", 41.0, set()),
        ("cached_part.py", "'''Halve.'''", "'''Half of it.'''", 41.0, set()),
        ("cached_part.py", "value / 2", "value / 4", 40.5, {"sums"}),
        ("cached_part.py", "STEP = 10", "STEP = 20", 51.0, {"sums"}),
        ("cached_part.py", "value + STEP", "value - STEP", 21.0, {"sums"}),
        ("cached_whole.py", "total = 0.0", "total = 1.0", 42.0, {"sums"}),
        (
            "cached_whole.py",
            "    low: NDArray[np.float64]\n    high: NDArray[np.float64]",
            "    high: NDArray[np.float64]\n    low: NDArray[np.float64]",
            41.0,
            {"sums"},
        ),
        ("cached_whole.py", "values[0]", "values[0] + 1", 41.0, {"other"}),
    ],
)
def test_an_edit_recompiles_what_it_reaches(
    package: Path, file: str, old: str, new: str, answer: float, compiled: set[str]
) -> None:
    """A stale kernel would give yesterday's answer; one too many costs seconds of every start."""
    assert _run() == ((41.0, 1.0), {"sums", "other"})
    assert _run() == ((41.0, 1.0), set())
    _edit(package, file, old, new)
    (found, _), again = _run()
    assert (found, again) == (answer, compiled)


def test_every_kernel_can_be_stamped() -> None:
    """One that names what can't be seen could be stale for ever."""
    for name in ("collectors.store.warm", "anomaly.detectors.warm"):
        import_module(name)
    modules = [m for n, m in sys.modules.items() if n.startswith(("collectors.", "anomaly."))]
    kernels = {one for m in modules for one in vars(m).values() if isinstance(one, Dispatcher)}
    assert len(kernels) > 50
    assert len({digest_of(one) for one in kernels}) == len(kernels)


def test_the_order_of_a_set_of_options_makes_no_other_kernel() -> None:
    """It differs from process to process: every other start would compile for ten seconds."""
    digests = set()
    for flags in ((0, 8), (8, 0)):  # they collide, so that a set keeps them as they came
        dispatcher = njit(fastmath=False)(_adds)
        dispatcher.targetoptions["fastmath"] = set(flags)
        digests.add(digest_of(dispatcher))
    assert len(digests) == 1


def test_what_cannot_be_seen_is_refused() -> None:
    """A list may change without a trace in the code that names it."""
    with pytest.raises(TypeError, match="'_FORBIDDEN', list"):
        digest_of(_names_a_list)


_FORBIDDEN = [1]


def _adds(value: float) -> float:
    return value + 1.0


def _names_a_list() -> int:
    return len(_FORBIDDEN) + int(np.int64(1))
