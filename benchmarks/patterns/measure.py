"""Measures the scan of an index by regular expressions, beside Python's own engine."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from collectors.patterns import Pattern
from collectors.stacklang.predicates.predicate import Regex
from collectors.store.series.tag_index import TagIndex
from collectors.store.series.tag_rows import intern_rows
from collectors.store.series.words import Words

USUAL = (
    "us-east-1[ab]-service-0.*",
    ".*node-0[0-9]{4}7",
    ".*prod",
    "(us|eu)-east-1a-.*(7|9)\\.prod",
    ".*node-00.*example\\.com$",
    "nothing",
    ".*a.*a.*a.*b",
    "[a-z0-9-]+\\.prod\\.[a-z]+\\.com",
    "us-east-1[ace]",
    ".*[02468]\\.prod",
)
"""Patterns as people write them, with few, some and many of the values as answers."""

HOSTILE = (
    "(a?){28}a{28}",
    "(a+)+$",
    "[ab]*a[ab]{20}c",
    "[ab]*a[ab]{400}c",
    "(?:a|b)*a(?:a|b){500}(?:a|b){400}",
    "(.*a){100}b",
)
"""Patterns that are exponential for some engine, or whose automaton is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One pattern over an index: milliseconds of processor time, best of some rounds."""

    pattern: str
    found: int
    ours_ms: float
    python_ms: float


def values_of_a_key(count: int) -> list[str]:
    """Return texts as names of machines are."""
    return [
        f"us-east-1{'abcde'[i % 5]}-service-{i % 977:03d}-node-{i:06d}.prod.example.com"
        for i in range(count)
    ]


def scans(values: int, rounds: int) -> list[Scan]:
    """Return how long each usual pattern takes over so many values of one key."""
    words = Words()
    texts = values_of_a_key(values)
    rows = intern_rows(words, [{"name": "x", "node": text} for text in texts])
    index = TagIndex(words.view())
    index.add(np.arange(values, dtype=np.int32), rows)
    found = []
    for pattern in USUAL:
        query, match = Regex("node", pattern), re.compile(pattern, re.ASCII).match
        ours_ms = _best_ms(partial(index.match, query), rounds)
        python_ms = _best_ms(partial(_all_matching, match, texts), rounds)
        size = len(index.match(query))
        found.append(Scan(pattern=pattern, found=size, ours_ms=ours_ms, python_ms=python_ms))
    return found


def hostile(kilobytes: int) -> dict[str, float]:
    """Return the processor milliseconds of each hostile pattern over so much text."""
    dice = np.random.default_rng(1)
    lines = ["".join(dice.choice(["a", "b"], 50)) for _ in range(20 * kilobytes)]
    return {text: _best_ms(partial(Pattern(text).select, lines), 1) for text in HOSTILE}


def _all_matching(match: Callable[[str], object], texts: list[str]) -> list[int]:
    return [at for at, text in enumerate(texts) if match(text)]


def _best_ms(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best * 1e3
