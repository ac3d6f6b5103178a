"""A complaint that repeats is written once a minute; another one is not held back by it."""

from __future__ import annotations

import logging

from demo_stack.chassis.logs import OncePerMinute


def _record(line: int) -> logging.LogRecord:
    return logging.LogRecord("x", logging.WARNING, "a.py", line, "gone", (), None)


def test_repeats_are_dropped_by_place_in_the_code() -> None:
    """One complaint that repeats would fill the disk and hide the others."""
    rule = OncePerMinute()
    passed = [rule.filter(_record(line)) for line in (1, 1, 2, 1, 2, 3)]
    assert passed == [True, False, True, False, False, True]
