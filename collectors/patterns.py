"""Patterns that operators and users write, matched by RE2.

RE2 never tries the same place of a text twice for the same part of a pattern, so that the time
grows with the length of the text and with the size of the pattern, never with a power of either.
What can't be matched that way it does not know: look-around, references to earlier groups, atomic
groups and possessive repeats. Syntax: https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar, cast

import numpy as np
import re2
from numpy.typing import NDArray

MAX_PATTERN_CHARS = 1_024
MAX_PATTERN_STEPS = 2_000
"""What one character of a text may cost at most: the instructions of a pattern's program."""

# Of each compiled form of a pattern; most is for the automaton that is made as texts need it and
# begun afresh when it is full.
_MEMORY_BYTES = 1 << 19
# How many texts are matched together.
_LINES = 8
_SAMPLE = 64
_RANGE_BYTES = 32
_NEWLINE = ord("\n")
_QUOTED_OR_PAIR = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)
_REASONS = (
    (
        r"invalid perl operator: (\(\?<?[=!])",
        "look-around {} is not supported, make it a condition of its own",
    ),
    (r"invalid perl operator: (\(\?>)", "atomic groups {} are not supported, leave out ?>"),
    (r"invalid escape sequence: (\\[1-9])", "back references {} are not supported"),
    (
        r"bad repetition operator: ((?:[*+?]|\{.*\})\+)",
        "possessive repeats {} are not supported, leave out the last +",
    ),
    (r"invalid repetition size: (.*)", "{}: what is repeated in all may be at most 1000 times"),
    (r"(pattern too large|failed to compile Set)", "{}: it needs more memory than a pattern may"),
)


_T = TypeVar("_T")


class PatternError(ValueError):
    """A text is no pattern, or one that can't be matched in linear time."""


class Captures(Protocol):
    """Where a pattern matched."""

    def group(self, group: int | str, /) -> str | None:
        """Return what a group matched, None if it took no part.

        Raises:
            IndexError: There is no such group.
        """
        ...


class Pattern:
    r"""A compiled pattern, which matches a text from its start.

    >>> Pattern("a.c").matches("abcd"), Pattern("b").matches("abcd")
    (True, False)
    >>> Pattern("a(.)").replace("abac", lambda found: found.group(1) or "")
    'bc'
    >>> Pattern("[bc]").select(["a", "b", "x\ny", "cd"]).tolist()
    [1, 3]

    Args:
        text: In RE2's syntax.
        ignore_case: Letters match both cases, also those outside ASCII.
        dot_matches_newline: A dot matches every character.

    Raises:
        PatternError: Not a pattern, or one that is too large or not supported.
    """

    def __init__(
        self, text: str, *, ignore_case: bool = False, dot_matches_newline: bool = False
    ) -> None:
        if len(text) > MAX_PATTERN_CHARS:
            raise PatternError(
                f"pattern too long: {len(text)} characters, limit of {MAX_PATTERN_CHARS}"
            )
        self.text = without_quotes(text)
        self._flags = {"case_sensitive": not ignore_case, "dot_nl": dot_matches_newline}
        self._program = _worded(lambda: re2.compile(self.text, _options(self._flags)))
        self.groups = int(self._program.groups)
        self.steps = int(self._program.programsize)
        if self.steps > MAX_PATTERN_STEPS:
            raise PatternError(
                f"pattern too costly: {self.steps} steps a character, limit of "
                f"{MAX_PATTERN_STEPS}; repeat less"
            )
        self._start = _set([self.text], self._flags)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    @functools.cached_property
    def group_names(self) -> frozenset[str]:
        """The names of groups."""
        return frozenset(self._program.groupindex)

    def matches(self, text: str) -> bool:
        """Return whether ``text`` begins with a match."""
        return self._start.Match(text.encode("utf-8", "replace")) is not None

    def captures(self, text: str) -> Captures | None:
        """Return the groups of the match that ``text`` begins with."""
        return cast("Captures | None", self._program.match(text))

    def replace(self, text: str, fill: Callable[[Captures], str]) -> str:
        """Return ``text`` with every match replaced by what ``fill`` says."""
        return str(self._program.sub(fill, text))

    def select(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the positions of the texts that begin with a match, ascending.

        Texts that begin otherwise than any match are sorted out first, where those are many; some
        of the others are matched together, which takes a third of the time of matching each.
        """
        rows = self._in_range(texts)
        if rows is None:
            return self._matching(texts)
        return np.array(rows, dtype=np.int64)[self._matching([texts[row] for row in rows])]

    def _in_range(self, texts: Sequence[str]) -> list[int] | None:
        """Return which texts could match as they begin; None if that would spare too little."""
        low, high = self._range
        size = len(high)
        sample = texts[:: len(texts) // _SAMPLE + 1]
        if 2 * sum(low <= text and text[:size] <= high for text in sample) >= len(sample):
            return None
        return [row for row, text in enumerate(texts) if low <= text and text[:size] <= high]

    def _matching(self, texts: Sequence[str]) -> NDArray[np.int64]:
        lines = "\n".join(texts)
        if self._lines is None or lines.count("\n") != len(texts) - 1:
            return np.flatnonzero([self.matches(text) for text in texts])
        found: list[int] = []
        first: list[int] = []
        number: list[int] = []
        match = self._lines.Match
        for start, batch in _batches(lines.encode("utf-8", "replace")):
            if matching := match(batch):
                found += matching
                first.append(start)
                number.append(len(matching))
        return np.sort(np.array(found, dtype=np.int64) + np.repeat(first, number).astype(np.int64))

    @functools.cached_property
    def _range(self) -> tuple[str, str]:
        """The least text that can match, and what no text that can match goes beyond."""
        try:
            low, high = re2.compile(
                f"(?:{self.text})(?s:.*)", _options(self._flags)
            ).possiblematchrange(_RANGE_BYTES)
        except re2.error:
            return "", ""
        return _sound_start(low), _sound_start(high)

    @functools.cached_property
    def _lines(self) -> re2.Set | None:
        r"""Says which of some lines begin with a match; None if that is too much for RE2.

        ::

            us-east-1a ⏎ eu-west-1a ⏎ us-east-1c     us-.*  →  lines 0 and 2

        There is a pattern for each line: so many lines before it, then what is asked for. A line
        is skipped as what is left of it, any byte, and the beginning of a line; that byte must be
        the newline. ``never_nl`` takes newlines out of the pattern, so that it stays in its line.
        """
        own_line = _in_line(self.text)
        patterns = [rf"(?m)(?:.*\C^){{{line}}}(?:{own_line})" for line in range(_LINES)]
        patterns[0] = f"(?m)(?:{own_line})"
        try:
            return _set(patterns, {**self._flags, "never_nl": True})
        except PatternError:
            return None


class Scanner:
    """Finds where a pattern of ASCII occurs in a long text: a gigabyte a second.

    >>> Scanner("k.y").places(b"a key, a kay")
    [2, 9]
    """

    def __init__(self, text: str) -> None:
        options = _options({})
        options.encoding = re2.Options.Encoding.LATIN1
        self._program = re2.compile(text.encode("ascii"), options)

    def places(self, text: bytes) -> list[int]:
        """Return where matches begin, ascending; they don't overlap."""
        return [found.start() for found in self._program.finditer(text)]


def _batches(lines: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield some lines at a time, with the number of the first."""
    ends = np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == _NEWLINE)
    begin = 0
    for batch, end in enumerate([*ends[_LINES - 1 :: _LINES].tolist(), len(lines)]):
        yield batch * _LINES, lines[begin:end]
        begin = end + 1


def _sound_start(limit: bytes) -> str:
    """Return a limit up to what is no character, which makes a range wider, never narrower.

    RE2's limits may end amid a character, or have bytes above those of any.
    """
    try:
        return limit.decode()
    except UnicodeDecodeError as error:
        return limit[: error.start].decode()


def escape_pattern(text: str) -> str:
    """Return a pattern that matches exactly ``text``."""
    return str(re2.escape(text))


def without_quotes(text: str) -> str:
    r"""Return a pattern with what stands between ``\Q`` and ``\E`` escaped."""

    def plain(found: re.Match[str]) -> str:
        if found[0] == r"\C":
            raise PatternError(r"\C is not supported, as it matches a part of a character")
        return found[0] if found[1] is None else escape_pattern(found[1])

    return _QUOTED_OR_PAIR.sub(plain, text)


def _in_line(text: str) -> str:
    r"""Return a pattern whose ``\A`` and ``\z`` stand for the ends of a line."""
    ends = {"\\A": "^", "\\z": "$"}
    return re.sub(r"\\.", lambda pair: ends.get(pair[0], pair[0]), text, flags=re.DOTALL)


def _options(flags: dict[str, bool]) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_BYTES
    for name, value in flags.items():
        setattr(options, name, value)
    return options


def _set(texts: Sequence[str], flags: dict[str, bool]) -> re2.Set:
    """Return a set of patterns: RE2's fastest way to say which of them match at the start."""
    made = re2.Set.MatchSet(_options({**flags, "never_capture": True}))

    def fill() -> None:
        for text in texts:
            made.Add(text)
        made.Compile()

    _worded(fill)
    return made


def _worded(make: Callable[[], _T]) -> _T:
    """Return what ``make`` returns; an error of RE2 becomes one in words for the author."""
    try:
        return make()
    except UnicodeEncodeError:
        raise PatternError("half of a surrogate pair is not a character") from None
    except re2.error as error:
        raise PatternError(_reason(error)) from None


def _reason(error: Exception) -> str:
    """Return why RE2 does not take a pattern, in words for its author."""
    raw = error.args[0]
    said = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    for known, reason in _REASONS:
        if found := re.match(known, said):
            return reason.format(found[1])
    return said
