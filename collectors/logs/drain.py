"""Patterns of log lines, found while they come: Drain, of a fixed depth.

He, Zhu, Zheng and Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. A
line's words, its numbers and ids masked, lead down a tree: by service, by how many words there are,
by the first of them. At the leaf it joins the pattern that agrees with it in most places, if that
is at least ``SIMILAR`` of them; where they differ the pattern gets a gap. Else it begins one.

Beside the paper: lines whose masked text was met before are found without the tree; a pattern has
a name that depends on its service and first masked line alone, so that it is the same after a
restart; and everything is bounded: what goes over a bound belongs to the pattern of the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import xxhash

GAP = "<*>"
SIMILAR = 0.5
DEPTH = 1
"""Words that lead down the tree, besides service and number of words."""
MAX_CHILDREN = 100
MAX_PATTERNS = 5_000
MAX_WORDS = 64
MAX_MASKED_CHARS = 1_000
MAX_SHAPES = 50_000
REST = 0
"""The number of the pattern of what found no place."""

# Numbers with their units and signs, hexadecimal ids, UUIDs, addresses: words with a digit in them.
_IN_WORD = r"[^\s=,;:()\[\]{}\"'|<>"
_VARIABLE = re.compile(rf"(?<!{_IN_WORD}]){_IN_WORD}\d]*+\d{_IN_WORD}]*+")


@dataclass(slots=True)
class LogPattern:
    """One pattern.

    Attributes:
        name: Eight hex digits, the same whenever the same lines come first.
        service: Whose lines have it.
        words: Its words, ``<*>`` where lines differ.
        lead: The words that led to it down the tree.
        first_ns: When the first line was written.
        last_ns: When the newest was.
    """

    name: str
    service: str
    words: list[str]
    lead: tuple[str, ...] = ()
    first_ns: int = 0
    last_ns: int = 0

    @property
    def text(self) -> str:
        """The pattern as people read it."""
        return " ".join(self.words)


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    patterns: list[int] = field(default_factory=list)


class Drain:
    """Finds patterns; not safe for threads.

    >>> drain = Drain()
    >>> [drain.of("shop", text) for text in ("got 3 of a1", "got 14 of b7", "shut down")]
    [1, 1, 2]
    >>> drain.patterns[1].text
    'got <*> of <*>'
    """

    def __init__(self) -> None:
        self.patterns: list[LogPattern] = [LogPattern(name="rest", service="", words=["…"])]
        self.overflowed = 0
        """Lines that found no place."""
        self._root: dict[tuple[str, int], _Node] = {}
        self._shapes: dict[tuple[str, str], int] = {}

    def of(self, service: str, text: str) -> int:
        """Return the number of the pattern that a line of a service has."""
        shape = masked(text)
        known = self._shapes.get((service, shape))
        if known is not None:
            return known
        found = self._find(service, shape.split()[:MAX_WORDS])
        if len(self._shapes) >= MAX_SHAPES:
            self._shapes.clear()
        self._shapes[service, shape] = found
        return found

    def restore(self, pattern: LogPattern) -> None:
        """Take a pattern that was found before a start."""
        leaf = self._leaf(pattern.service, len(pattern.words), pattern.lead)
        if leaf is not None and len(self.patterns) <= MAX_PATTERNS:
            leaf.patterns.append(len(self.patterns))
            self.patterns.append(pattern)

    def _find(self, service: str, words: list[str]) -> int:
        leaf = self._leaf(service, len(words), words[:DEPTH])
        if leaf is None:
            self.overflowed += 1
            return REST
        best, agreeing = REST, -1.0
        for number in leaf.patterns:
            share = _agreement(self.patterns[number].words, words)
            if share > agreeing:
                best, agreeing = number, share
        if agreeing >= SIMILAR:
            known = self.patterns[best]
            known.words = [a if a == b else GAP for a, b in zip(known.words, words, strict=True)]
            return best
        return self._begin(service, words, leaf)

    def _begin(self, service: str, words: list[str], leaf: _Node) -> int:
        if len(self.patterns) > MAX_PATTERNS or len(leaf.patterns) >= MAX_CHILDREN:
            self.overflowed += 1
            return REST
        name = xxhash.xxh32_hexdigest(f"{service}\0{' '.join(words)}".encode("utf-8", "replace"))
        leaf.patterns.append(len(self.patterns))
        lead = tuple(words[:DEPTH])
        self.patterns.append(LogPattern(name=name, service=service, words=words, lead=lead))
        return len(self.patterns) - 1

    def _leaf(self, service: str, length: int, lead: Sequence[str]) -> _Node | None:
        node = self._root.get((service, length))
        if node is None:
            if len(self._root) >= MAX_PATTERNS:
                return None
            node = self._root[service, length] = _Node()
        for word in lead:
            step = word if word in node.children or len(node.children) < MAX_CHILDREN else GAP
            node = node.children.setdefault(step, _Node())
        return node


def masked(text: str) -> str:
    """Return a line with a gap for each word that has a digit.

    >>> masked("GET /titles/8f2 took 12.5ms, user=a7")
    'GET <*> took <*>, user=<*>'
    """
    return _VARIABLE.sub(GAP, text[:MAX_MASKED_CHARS])


def _agreement(pattern: Sequence[str], words: Sequence[str]) -> float:
    """Return the share of places in which a pattern and a line say the same."""
    if not words:
        return 1.0
    same = sum(a == b for a, b in zip(pattern, words, strict=True))
    return same / len(words)
