"""What in a diff can break something: the kinds of change that incidents are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from math import log10

from anomaly.causes.commits.diff import FileDiff


class Risk(StrEnum):
    """A kind of change."""

    CALL_GONE = "a call is gone"
    GUARD_GONE = "a check or constant is gone"
    CALL_IN_LOOP = "a call is made in a loop"
    BOUND_GONE = "a bound is gone"
    GROWTH = "something grows without bound"
    VALUE_CHANGED = "a number is another"
    KEY_RENAMED = "a name in data is another"
    VERSION_MOVED = "a dependency is another"
    NEW_QUERY = "something new is asked of a store"


_CALL = re.compile(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\(")
_NO_CALLS = frozenset(
    {"if", "for", "while", "switch", "return", "catch", "func", "function", "def", "var", "const"}
    | {"type", "import", "require", "make", "len", "append", "range", "class", "interface"}
)
_DECLARED = re.compile(r"^(?:export |async |public |private )*(?:func|function|def|type|class)\b")
_GUARD = re.compile(r"^(?:\} ?)?(?:else )?(?:if|const|assert|defer|unless|guard|raise|throw)\b")
_LOOP = re.compile(r"^(?:for|foreach|while)\b.*(?:range|\bin\b|\bof\b|:=|;|:)|\.(?:forEach|map)\(")
_FAR = re.compile(
    r"\b(?:ctx|await|session)\b|\.(?:Query|Exec|Get|Put|Fetch|Call|Send|Post|Invoke|execute|query"
    r"|get|put|fetch|send|post)\w*\(",
)
_BOUND = re.compile(
    r"limit|max|capacity|lru|evict|batch|chunk|page_?size|\btop\b|throttle|semaphore|timeout",
    re.IGNORECASE,
)
_GROWS = re.compile(
    r"(\w+)\s*=\s*append\(\1\b|(\w+)\.(?:push|append|add)\(|(\w+)\[[^\]]+\]\s*=[^=]"
)
_HELD = re.compile(
    r"^(?:var|static|private static|let|global)\s+(\w+)|^(\w+)\s*(?::[^=]+)?=\s*(?:\[\]|\{\}|new )"
)
_NUMBER = re.compile(
    r"([A-Za-z_][\w.-]*)[\"']?\s*(?:[:=,(]|:=|: int =)\s*(\d[\d_]*(?:\.\d+)?)\s*\*?\s*"
    r"(?:time\.)?(milliseconds?|microseconds?|seconds?|minutes?|hours?|ms|us|s|m|h|d|Ki|Mi|Gi|KB"
    r"|MB|GB|k|M|G)?\b",
    re.IGNORECASE,
)
_UNITS = {
    "us": 1e-6,
    "microsecond": 1e-6,
    "ms": 1e-3,
    "millisecond": 1e-3,
    "second": 1.0,
    "s": 1.0,
    "minute": 60.0,
    "m": 60.0,
    "hour": 3_600.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "ki": 1_024.0,
    "kb": 1_024.0,
    "k": 1_000.0,
    "mi": 1_024.0**2,
    "mb": 1_024.0**2,
    "gi": 1_024.0**3,
    "gb": 1_024.0**3,
    "g": 1e9,
}
_TEXT = re.compile(r"([\"'`])([\w.$-]{2,60})\1")
_VERSION = re.compile(r"^[\w./@\"'-]+.*?\bv?(?P<at>\d+\.\d+(?:\.\d+)?)\b")
_PATCH, _MINOR = 0.2, 0.7
_SQL = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+[a-z_]\w*", re.IGNORECASE)
_NEAR_LINES = 5


def risks_of(files: Sequence[FileDiff]) -> Mapping[Risk, float]:
    """Return how much of each kind of change is in a diff, 0 to 1; what is absent is left out."""
    found: dict[Risk, float] = {}
    made = {name for file in files for name in _calls(file.result)}
    for file in files:
        for risk, much in _risks(file, made):
            found[risk] = max(much, found.get(risk, 0.0))
    return {risk: much for risk, much in found.items() if much > 0.0}


def _risks(file: FileDiff, made: set[str]) -> Iterator[tuple[Risk, float]]:
    """Yield the risks of one file; ``made`` are the calls that any file of the diff makes now."""
    removed, added = "\n".join(file.removed), "\n".join(file.added)
    replaced = len(file.added) >= len(file.removed)
    if _calls(file.removed) - made:
        yield Risk.CALL_GONE, 0.3 if replaced else 1.0
    guards = sum(map(_is_guard, file.removed)) - sum(map(_is_guard, file.added))
    yield Risk.GUARD_GONE, 1.0 if guards > 0 else 0.0
    yield Risk.CALL_IN_LOOP, 1.0 if _calls_in_loop(file) else 0.0
    gone = bool(_BOUND.search(removed)) and not _BOUND.search("\n".join(file.result))
    yield Risk.BOUND_GONE, 1.0 if gone else 0.0
    yield Risk.GROWTH, 1.0 if _grows(file) and not _BOUND.search(added) else 0.0
    yield Risk.VALUE_CHANGED, _changed(file.removed, file.added)
    yield Risk.KEY_RENAMED, 1.0 if _renamed(file.removed, file.added) else 0.0
    yield Risk.VERSION_MOVED, _moved(file.removed, file.added)
    yield Risk.NEW_QUERY, 0.6 if set(_SQL.findall(added)) - set(_SQL.findall(removed)) else 0.0


def _calls(lines: Sequence[str]) -> set[str]:
    return {
        name
        for line in lines
        if not _DECLARED.match(line)
        for name in _CALL.findall(line)
        if name not in _NO_CALLS
    }


def _is_guard(line: str) -> bool:
    return bool(_GUARD.match(line))


def _calls_in_loop(file: FileDiff) -> bool:
    """Return whether a line that came asks something far within a loop that is new or was there."""
    added = set(file.added)
    for at, line in enumerate(file.result):
        if _LOOP.search(line):
            near = file.result[at + 1 : at + 1 + _NEAR_LINES]
            if any(one in added and _FAR.search(one) for one in near):
                return True
    return False


def _grows(file: FileDiff) -> bool:
    held = {name for line in file.added for pair in _HELD.findall(line) for name in pair if name}
    grown = {
        name for line in file.added for names in _GROWS.findall(line) for name in names if name
    }
    return bool(held & grown)


def _changed(removed: Sequence[str], added: Sequence[str]) -> float:
    """Return how far a named number has moved, in orders of magnitude, at most one."""
    before, after = _numbers(removed), _numbers(added)
    ratios = [
        abs(log10(after[name] / before[name]))
        for name in before.keys() & after.keys()
        if before[name] > 0 and after[name] > 0
    ]
    return min(1.0, max(ratios, default=0.0))


def _numbers(lines: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in lines:
        for name, digits, unit in _NUMBER.findall(line):
            scale = _UNITS.get(unit.lower(), _UNITS.get(unit.lower().rstrip("s"), 1.0))
            found.setdefault(name.lower(), float(digits.replace("_", "")) * scale)
    return found


def _renamed(removed: Sequence[str], added: Sequence[str]) -> bool:
    blanked = {_TEXT.sub("''", line): _TEXT.findall(line) for line in added}
    return any(
        (now := blanked.get(_TEXT.sub("''", line))) and now != _TEXT.findall(line)
        for line in removed
        if _TEXT.search(line)
    )


def _moved(removed: Sequence[str], added: Sequence[str]) -> float:
    """Return how far a dependency has moved: a patch hardly counts."""
    before = {line.split()[0]: found for line in removed if (found := _VERSION.match(line))}
    far = 0.0
    for line in added:
        now, was = _VERSION.match(line), before.get(line.split()[0])
        if now and was and now["at"] != was["at"]:
            patch = now["at"].split(".")[:2] == was["at"].split(".")[:2]
            far = max(far, _PATCH if patch else _MINOR)
    return far
