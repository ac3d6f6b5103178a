"""What sort of trouble messages tell of, and which kinds of change can make it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from anomaly.causes.commits.risk import Risk


class Trouble(StrEnum):
    """A sort of trouble."""

    SLOW = "slow"
    DEADLINE = "deadline"
    SATURATED = "saturated"
    MEMORY = "memory"
    REFUSED = "refused"
    MISSING = "missing"
    CRASH = "crash"
    CONFLICT = "conflict"
    FAILING = "failing"


_WORDS: Mapping[Trouble, str] = {
    Trouble.SLOW: r"latency|duration|slow|p9\d|stall|lag",
    Trouble.DEADLINE: r"time[sd]? ?out|timeout|deadline|cancel",
    Trouble.SATURATED: r"cpu|throttl|capacity|queue|saturat|pool|throughput|exhaust|overload",
    Trouble.MEMORY: r"oom|memory|heap|\bgc\b|rss",
    Trouble.REFUSED: r"\b40[13]\b|unauthori|forbidden|denied|token|jwt|expired|certificate",
    Trouble.MISSING: r"not found|does not exist|unknown|no mapping|missing|undefined|null|no such",
    Trouble.CRASH: r"crash|panic|restart|startup|segfault|abort",
    Trouble.CONFLICT: r"conflict|\bcas\b|lock|retr(?:y|ies)|leader|contention",
    Trouble.FAILING: r"\b5\d\d\b|5xx|error|fail|exception",
}
_PATTERNS = {trouble: re.compile(words, re.IGNORECASE) for trouble, words in _WORDS.items()}

_MAKES: Mapping[Risk, frozenset[Trouble]] = {
    Risk.CALL_GONE: frozenset(
        {Trouble.MISSING, Trouble.REFUSED, Trouble.CRASH, Trouble.CONFLICT, Trouble.FAILING}
    ),
    Risk.GUARD_GONE: frozenset(
        {Trouble.REFUSED, Trouble.CRASH, Trouble.MISSING, Trouble.CONFLICT, Trouble.FAILING}
    ),
    Risk.CALL_IN_LOOP: frozenset({Trouble.SLOW, Trouble.SATURATED, Trouble.DEADLINE}),
    Risk.BOUND_GONE: frozenset({Trouble.SLOW, Trouble.SATURATED, Trouble.MEMORY, Trouble.DEADLINE}),
    Risk.GROWTH: frozenset({Trouble.MEMORY, Trouble.CRASH}),
    Risk.VALUE_CHANGED: frozenset(
        {
            Trouble.DEADLINE,
            Trouble.SATURATED,
            Trouble.CONFLICT,
            Trouble.SLOW,
            Trouble.REFUSED,
            Trouble.MEMORY,
        }
    ),
    Risk.KEY_RENAMED: frozenset({Trouble.MISSING, Trouble.FAILING}),
    Risk.VERSION_MOVED: frozenset({Trouble.CRASH, Trouble.MISSING}),
    Risk.NEW_QUERY: frozenset({Trouble.MISSING, Trouble.SLOW, Trouble.SATURATED}),
}


def troubles_of(messages: Iterable[str]) -> frozenset[Trouble]:
    """Return the sorts of trouble that messages tell of.

    >>> sorted(troubles_of(["relation favorites does not exist"]))
    [<Trouble.MISSING: 'missing'>]
    """
    text = "\n".join(messages)
    return frozenset(trouble for trouble, words in _PATTERNS.items() if words.search(text))


def fit(risks: Mapping[Risk, float], troubles: Collection[Trouble]) -> tuple[float, Risk | None]:
    """Return how much of a change can make some trouble, 0 to 1, and by which kind of change."""
    best, by = 0.0, None
    for risk, much in sorted(risks.items()):
        fits = much if _MAKES[risk] & frozenset(troubles) else _HARDLY * much
        if fits > best:
            best, by = fits, risk
    return best, by


_HARDLY = 0.3
