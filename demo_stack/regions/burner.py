"""Processor starvation: threads that compete with the event loop for the interpreter."""

from __future__ import annotations

import threading


class Burner:
    """Burns processor time in the background until told to stop."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def burn(self, threads: int) -> None:
        """Burn with this many threads from now on; 0 for none."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=_spin, args=(self._stop,), daemon=True) for _ in range(threads)
        ]
        for thread in self._threads:
            thread.start()


def _spin(stop: threading.Event) -> None:
    while not stop.is_set():
        sum(range(20_000))
