"""Durations as operators write them: ``5s``, ``10m``, ``6h``, ``30d``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PATTERN = re.compile(r"(\d+)(ms|s|m|h|d|w)")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, in whole milliseconds.

    >>> Duration.parse("10s").ms
    10000
    >>> str(Duration(90_000))
    '90s'
    """

    ms: int

    @classmethod
    def parse(cls, text: object) -> Duration:
        """Read ``text``, such as ``5s``; raise ``ValueError`` when it is no duration."""
        if isinstance(text, Duration):
            return text
        match = _PATTERN.fullmatch(str(text).strip())
        if match is None:
            raise ValueError(f"{text!r} is not a duration: write a number and ms, s, m, h, d or w")
        return cls(int(match[1]) * _UNIT_MS[match[2]])

    @property
    def seconds(self) -> float:
        """The same in seconds."""
        return self.ms / 1_000

    def __str__(self) -> str:
        for unit in ("w", "d", "h", "m", "s"):
            if self.ms and self.ms % _UNIT_MS[unit] == 0:
                return f"{self.ms // _UNIT_MS[unit]}{unit}"
        return f"{self.ms}ms"
