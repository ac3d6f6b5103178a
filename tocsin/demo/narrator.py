"""Tells the story in the terminal: one line a moment, with the time since the start."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_COLOURS = {"calm": "32", "alarm": "31", "work": "33", "plain": "0", "link": "36"}


class Narrator:
    """Writes moments to a stream; colours only on a terminal and without ``NO_COLOR``.

    Args:
        out: Where to write; standard error when standard output carries JSON.
        colour: Whether to use ANSI colours.
    """

    def __init__(self, out: TextIO | None = None, *, colour: bool = False) -> None:
        self._out = out or sys.stderr
        self._colour = colour
        self._start_s = time.monotonic()
        self._pending = False

    def say(self, stage: str, text: str, mood: str = "plain") -> None:
        """Write one moment: ``  12 s  detected      SPS fell ...``."""
        self._end_progress()
        elapsed = time.monotonic() - self._start_s
        name = f"{stage:<14}"
        if self._colour:
            name = f"\x1b[{_COLOURS[mood]};1m{name}\x1b[0m"
        self._out.write(f"{elapsed:6.0f} s  {name}{text}\n")
        self._out.flush()

    def progress(self, stage: str, text: str) -> None:
        """Show that something is still going on; overwrites itself on a terminal only."""
        if not self._out.isatty():
            return
        elapsed = time.monotonic() - self._start_s
        self._out.write(f"\r\x1b[K{elapsed:6.0f} s  {stage:<14}{text}")
        self._out.flush()
        self._pending = True

    def _end_progress(self) -> None:
        if self._pending:
            self._out.write("\r\x1b[K")
            self._pending = False
