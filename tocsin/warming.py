"""Loads after the start what a start need not wait for, and gives back what only the start needed.

Compiled kernels come from a cache on disk. Any is loaded by the first who calls it; here all
are called once from a thread of their own, those that receive samples first, so that nobody waits
for one at three in the morning. Then the pages of programs that were only read while they were
loaded (LLVM's 100 MB above all, which compiled nothing) are taken off the process: the system
brings back those that are needed again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import structlog

from collectors.errors import TocsinError
from collectors.host.footprint import give_back

_AFTER_S = 1.0
_log = structlog.get_logger(__name__)


def kernels() -> None:
    """Load the kernels of the stores and of both languages, those that receive first."""
    from collectors.logs.warm import warm as warm_logs
    from collectors.promql.evaluation.warm import warm as warm_promql
    from collectors.stacklang.evaluation.warm import warm as warm_language
    from collectors.store.warm import warm as warm_store

    warm_store()
    warm_logs()
    warm_language()
    warm_promql()


PARTS: Mapping[str, Callable[[], object]] = {"kernels": kernels, "memory given back": give_back}


class Warming:
    """Does each of ``parts`` once, in a thread; one that fails is told, and the next is done.

    Args:
        parts: What is to be done, by the name that ``/health`` tells it by.
        after_s: How long the first requests have the process for themselves.
    """

    def __init__(
        self, parts: Mapping[str, Callable[[], object]] = PARTS, *, after_s: float = _AFTER_S
    ) -> None:
        self._parts = parts
        self._after_s = after_s
        self._ending = threading.Event()
        self._waiting = list(parts)
        self._failed: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="warming", daemon=True)

    @property
    def failed(self) -> Mapping[str, str]:
        """The reason by the name of each part that could not be loaded."""
        return dict(self._failed)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def join(self) -> None:
        """Wait until everything was tried."""
        self._thread.join()

    def close(self) -> None:
        """Begin nothing more; what is being loaded ends with the process."""
        self._ending.set()

    def as_json(self) -> dict[str, object]:
        """Return what is still to be loaded and what could not be."""
        return {"loading": list(self._waiting), "failed": self.failed}

    def _run(self) -> None:
        self._ending.wait(self._after_s)
        for name, load in self._parts.items():
            if self._ending.is_set():
                return
            try:
                load()
            except TocsinError as error:
                self._fail(name, error.message)
            except Exception as error:  # noqa: BLE001 - whatever it is, the rest is loaded
                _log.exception("could not be loaded", part=name)
                self._fail(name, f"{type(error).__name__}: {error}")
            self._waiting.remove(name)

    def _fail(self, name: str, reason: str) -> None:
        _log.error("could not be loaded", part=name, reason=reason)
        self._failed[name] = reason
