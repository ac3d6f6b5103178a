"""Matchers: what a label must be, by equality or by a pattern that covers all of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from collectors.patterns import Pattern

NAME_LABEL = "__name__"


class MatchOp(StrEnum):
    """The four comparisons of a matcher."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    MATCHES_NOT = "!~"

    @property
    def negative(self) -> bool:
        """Whether it holds where its counterpart does not."""
        return self in (MatchOp.NOT_EQUAL, MatchOp.MATCHES_NOT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """A condition on one label; a label that is missing is empty.

    >>> Matcher(name="job", op=MatchOp.MATCHES, value="a|b").holds(["a", "ab", ""]).tolist()
    [True, False, False]
    """

    name: str
    op: MatchOp
    value: str

    def holds(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which of some values it holds for, as booleans of shape (len(texts),)."""
        if self.op in (MatchOp.EQUAL, MatchOp.NOT_EQUAL):
            found = np.fromiter((text == self.value for text in texts), np.bool_, len(texts))
        else:
            found = np.zeros(len(texts), dtype=np.bool_)
            if len(texts):
                found[pattern_of(self.value).select(texts)] = True
        return ~found if self.op.negative else found

    @property
    def takes_empty(self) -> bool:
        """Whether it holds for a series that lacks the label."""
        return bool(self.holds([""])[0])


@functools.lru_cache(maxsize=256)
def pattern_of(text: str) -> Pattern:
    """Return the pattern that covers a whole value.

    Raises:
        PatternError: Not a pattern of RE2.
    """
    return Pattern(rf"(?:{text})\z", dot_matches_newline=True)
