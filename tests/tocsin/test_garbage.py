"""Cycles: when what is searched for, and that the interpreter really spares what is set aside."""

import gc
from collections.abc import Iterator

import pytest

from tocsin.garbage import Garbage

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


class WrittenDown:
    """A collector that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.threshold = (700, 10, 10)

    def collect(self) -> int:
        self.asked.append("collect")
        return 0

    def freeze(self) -> None:
        self.asked.append("freeze")

    def unfreeze(self) -> None:
        self.asked.append("unfreeze")

    def get_threshold(self) -> tuple[int, int, int]:
        return self.threshold

    def set_threshold(self, young: int, middle: int, old: int, /) -> None:
        self.threshold = (young, middle, old)


@pytest.mark.parametrize(
    ("after_ms", "asked"),
    [
        (0, []),
        (MINUTE_MS - 1, []),
        (MINUTE_MS, ["collect", "freeze"]),
        (5 * HOUR_MS, ["collect", "freeze"]),
        (6 * HOUR_MS, ["unfreeze", "collect", "freeze"]),
    ],
)
def test_what_is_due(after_ms: int, asked: list[str]) -> None:
    """Collections would come too often and stop the server, or never."""
    collector = WrittenDown()
    garbage = Garbage(7, collector)
    assert collector.asked == ["collect", "freeze"]
    collector.asked.clear()
    garbage.tick(7 + after_ms)
    assert collector.asked == asked
    garbage.tick(7 + after_ms)  # the same moment again: nothing is due
    assert collector.asked == asked


def test_the_oldest_generation_is_left_alone_until_the_end() -> None:
    """A full collection would stop every request for a second at some moment."""
    collector = WrittenDown()
    garbage = Garbage(0, collector)
    assert collector.threshold[:2] == (700, 10)
    assert collector.threshold[2] > 1_000_000
    garbage.end()
    assert (collector.threshold, collector.asked[-1]) == ((700, 10, 10), "unfreeze")


@pytest.fixture(name="garbage")
def _garbage() -> Iterator[Garbage]:
    garbage = Garbage(0)
    yield garbage
    garbage.end()


class Node:
    """A part of a cycle that counts how many of its like were freed."""

    freed = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Node.freed += 1


def test_new_cycles_go_within_a_minute_and_old_ones_within_hours(garbage: Garbage) -> None:
    """Memory would grow by every cycle that a library leaves behind."""
    Node.freed = 0
    held = Node()
    Node()
    garbage.tick(MINUTE_MS)
    assert Node.freed == 1
    frozen = gc.get_freeze_count()
    assert frozen > 1_000
    del held
    garbage.tick(2 * MINUTE_MS)
    assert Node.freed == 1
    garbage.tick(6 * HOUR_MS)
    assert Node.freed == 2
