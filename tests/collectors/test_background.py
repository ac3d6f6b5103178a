"""Work in the background goes on after whatever happened in it."""

import queue
import threading

import pytest

from collectors.background import Background
from collectors.errors import StorageError


@pytest.mark.parametrize("error", [StorageError("full"), ValueError("a defect")])
def test_a_failing_run_is_not_the_last(error: Exception) -> None:
    """One failure of upkeep would end it for good."""
    runs: queue.Queue[int] = queue.Queue()
    failures = [error]

    def work() -> None:
        runs.put(len(failures))
        if failures:
            raise failures.pop()

    background = Background("test", work)
    background.start()
    background.request()
    assert runs.get(timeout=5) == 1
    background.request()
    assert runs.get(timeout=5) == 0
    background.close()


@pytest.mark.parametrize(("last_run", "expected"), [(True, 2), (False, 1)])
def test_what_was_handed_over_just_before_the_end_is_done(last_run: bool, expected: int) -> None:
    """A finding that arrives as the process ends would be lost; upkeep would run once too often."""
    runs: queue.Queue[str] = queue.Queue()
    started, go = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        assert go.wait(5)
        runs.put("run")

    background = Background("test", work, last_run=last_run)
    background.start()
    background.request()
    assert started.wait(5)
    background.request()
    background.close(timeout_s=0.0)
    go.set()
    background.close()
    assert runs.qsize() == expected


def test_closing_waits_no_longer_than_it_was_told() -> None:
    """A notifier that hangs would keep the process from ending; one never started, too."""
    go = threading.Event()
    background = Background("test", lambda: go.wait(30))
    background.close(timeout_s=0.0)
    begun, over = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        go.wait(30)
        over.set()

    background = Background("test", hang)
    background.start()
    background.request()
    assert begun.wait(5)
    background.close(timeout_s=0.01)
    assert not over.is_set()
    go.set()
    assert over.wait(5)
