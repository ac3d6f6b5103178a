"""Work in the background goes on after whatever happened in it."""

import queue

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
    background.request()
    assert runs.get(timeout=5) == 1
    background.request()
    assert runs.get(timeout=5) == 0
    background.close()
