"""Runs test files of the Prometheus project's own format, and reports.

An evaluation is skipped, never passed, where it asks for native histograms, which are not kept: if
one of its selectors matches a series that has some, or if some are expected. What is expected of an
instant is also expected in the middle of a range, as Prometheus's own runner does.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.conformance.promql_script import Command, Evaluation, Load, read_script
from collectors.errors import TocsinError
from collectors.promql.evaluation.query import Answer, instant, over_range
from collectors.promql.labels.matchers import NAME_LABEL, Matcher
from collectors.promql.language.checking import walk
from collectors.promql.language.nodes import Node, VectorSelector
from collectors.promql.language.parsing import parse
from collectors.promql.language.tokens import Token, unquote
from collectors.promql.notation.series import NotedSeries, read_labels, read_series
from collectors.promql.samples.columns import Samples
from collectors.promql.samples.memory import MemorySource
from collectors.promql.vectors.context import Options
from collectors.promql.vectors.values import Scalar, Text, Vector

_OPTIONS = Options(delayed_names=True)
_EPSILON = 1e-6
_ASIDE_MS = 60_000
# What a range answers otherwise than an instant, as it should.
_OF_QUERY = re.compile(r"\b(?:start|end|range|step)\(\)")
_NATIVE = "native histograms are not kept"

Points = dict[int, float]
Series = list[tuple[dict[str, str], Points]]


@dataclass(slots=True)
class _Loaded:
    """What the commands so far have loaded."""

    source: MemorySource = field(default_factory=MemorySource)
    native: list[dict[str, str]] = field(default_factory=list)

    def load(self, command: Load) -> None:
        for line in command.lines:
            series = read_series(line)
            rows = np.flatnonzero(series.present)
            if len(rows):
                times = (rows * command.step_ms).tolist()
                self.source.add(series.labels, times, series.values[rows])
            if series.native:
                self.native.append(series.labels)
            if command.native and (twin := _native_twin(series)):
                self.native.append(twin)

    def matches_native(self, node: Node) -> bool:
        """Return whether a selector within ``node`` matches a series of native histograms."""
        selectors = [one for one in walk(node) if isinstance(one, VectorSelector)]
        return any(_all_hold(one.matchers, labels) for one in selectors for labels in self.native)


def _native_twin(series: NotedSeries) -> dict[str, str] | None:
    name = series.labels.get(NAME_LABEL, "")
    if not name.endswith("_bucket") or "le" not in series.labels:
        return None
    rest = {key: value for key, value in series.labels.items() if key != "le"}
    return {**rest, NAME_LABEL: name.removesuffix("_bucket")}


def _all_hold(matchers: Iterable[Matcher], labels: dict[str, str]) -> bool:
    return all(one.holds([labels.get(one.name, "")])[0] for one in matchers)


def cases_directory() -> Path:
    """Return where the test files are expected."""
    root = Path(__file__).parents[2]
    return Path(os.environ.get("TOCSIN_SHARED") or root / "../shared") / "conformance" / "promql"


def report(directory: Path, as_json: bool) -> int:
    """Run a directory and print what came of it; return the exit status."""
    if not any(directory.glob("*.test")):
        print(f"no *.test files in {directory}; set TOCSIN_SHARED or pass --dir", file=sys.stderr)
        return 2
    found = run_directory(directory)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0 if found["failed"] == 0 else 1
    for name, one in found["files"].items():
        skipped = sum(one["skipped"].values())
        print(f"{name:32} {one['passed']:5} passed {one['failed']:5} failed {skipped:5} skipped")
    for failure in found["failures"]:
        print(f"{failure['place']}: {failure['case']}\n       {failure['reason']}")
    for reason, count in sorted(found["skipped"].items()):
        print(f"{count:5} skipped: {reason}")
    print(f"{found['passed']} passed, {found['failed']} failed")
    return 0 if found["failed"] == 0 else 1


def run_directory(directory: Path) -> dict[str, Any]:
    """Run every ``*.test`` file of a directory; return the report."""
    files = {path.name: run_file(path) for path in sorted(directory.glob("*.test"))}
    counts = {key: sum(one[key] for one in files.values()) for key in ("passed", "failed")}
    skipped: Counter[str] = Counter()
    for one in files.values():
        skipped.update(one["skipped"])
    failures = [failure for one in files.values() for failure in one.pop("failures")]
    return {**counts, "skipped": dict(skipped), "files": files, "failures": failures}


def run_file(path: Path) -> dict[str, Any]:
    """Run one file; return what passed, failed and was skipped."""
    loaded, passed = _Loaded(), 0
    failures: list[dict[str, Any]] = []
    skipped: Counter[str] = Counter()
    commands: list[Command] = read_script(path.read_text(encoding="utf-8"))
    for command in commands:
        if command is None:
            loaded = _Loaded()
        elif isinstance(command, Load):
            loaded.load(command)
        elif reason := _reason_to_skip(loaded, command):
            skipped[reason] += 1
        elif (problem := _check(loaded, command)) is None:
            passed += 1
        else:
            place = f"{path.name}:{command.line}"
            failures.append({"case": command.expr, "place": place, "reason": problem[:500]})
    return {
        "passed": passed,
        "failed": len(failures),
        "skipped": dict(skipped),
        "failures": failures,
    }


def _reason_to_skip(loaded: _Loaded, command: Evaluation) -> str | None:
    if any("{{" in line for line in command.lines):
        return _NATIVE
    try:
        node = parse(command.expr)
    except TocsinError as error:
        return None if command.expected("fail") else f"not parsed: {error.message.split(':')[-1]}"
    return _NATIVE if loaded.matches_native(node) else None


def _check(loaded: _Loaded, command: Evaluation) -> str | None:
    try:
        problem = _check_once(loaded, command)
        alone = command.expected("ordered") or command.expected("fail") or command.samples_window
        if problem or command.step_ms or alone or _OF_QUERY.search(command.expr):
            return problem
        return _check_aside(loaded, command)
    except Exception as error:  # noqa: BLE001 - one broken case must not hide the others
        return f"{type(error).__name__}: {error}"


def _check_once(loaded: _Loaded, command: Evaluation) -> str | None:
    try:
        answer = _answer(loaded, command)
    except TocsinError as error:
        return _check_failure(command, error.message)
    if fails := command.expected("fail"):
        return f"expected to fail {fails}, answered"
    return _check_notes(command, answer) or _check_answer(command, answer)


def _answer(loaded: _Loaded, command: Evaluation) -> Answer:
    if command.step_ms:
        return over_range(
            command.expr,
            loaded.source,
            command.first_ms,
            command.last_ms,
            command.step_ms,
            _OPTIONS,
        )
    return instant(command.expr, loaded.source, command.first_ms, _OPTIONS)


def _check_failure(command: Evaluation, message: str) -> str | None:
    fails = command.expected("fail")
    if not fails:
        return f"failed: {message}"
    for wanted in fails:
        if wanted.startswith("msg:") and wanted.removeprefix("msg:").strip() not in message:
            return f"failed with {message!r}, expected {wanted!r}"
        if wanted.startswith("regex:") and not re.search(wanted[6:].strip(), message):
            return f"failed with {message!r}, expected {wanted!r}"
    return None


def _check_notes(command: Evaluation, answer: Answer) -> str | None:
    for kind, notes in (("warn", answer.warnings), ("info", answer.infos)):
        if command.expected(f"no_{kind}") and notes:
            return f"expected no {kind}, got {notes}"
        for wanted in command.expected(kind):
            text = wanted.partition(":")[2].strip()
            if not notes:
                return f"expected {kind} {wanted}, got none"
            if wanted.startswith("msg:") and text not in notes:
                return f"expected {kind} {text!r}, got {notes}"
            if wanted.startswith("regex:") and not any(re.search(text, note) for note in notes):
                return f"expected {kind} {text!r}, got {notes}"
    return None


def _check_answer(command: Evaluation, answer: Answer) -> str | None:
    if strings := command.expected("string"):
        said = answer.value.value if isinstance(answer.value, Text) else None
        wanted = unquote("", Token("string", strings[0], 0, 0))
        return None if said == wanted else f"expected {wanted!r}, got {said!r}"
    found = _series(answer)
    if command.samples_window:
        first, last, step = command.samples_window
        expected = [_expanded(line, first, step, last) for line in command.lines]
    elif command.step_ms:
        expected = [
            _expanded(line, command.first_ms, command.step_ms, command.last_ms)
            for line in command.lines
        ]
    else:
        expected = [_one(line, command.first_ms) for line in command.lines]
    if isinstance(answer.value, Scalar):
        found = [({}, points) for _, points in found]
    return compare(expected, found, ordered=bool(command.expected("ordered")))


def _one(line: str, time_ms: int) -> tuple[dict[str, str], Points]:
    try:
        return {}, {time_ms: _value(line)}
    except ValueError:
        labels, rest = read_labels(line)
        return labels, {time_ms: _value(rest.strip())}


def _value(text: str) -> float:
    return float(int(text, 16)) if text.lower().startswith("0x") else float(text)


def _expanded(line: str, first: int, step: int, last: int) -> tuple[dict[str, str], Points]:
    series = read_series(line)
    points = {
        first + at * step: float(series.values[at])
        for at in np.flatnonzero(series.present).tolist()
        if first + at * step <= last
    }
    return series.labels, points


def _series(answer: Answer) -> Series:
    value, times = answer.value, answer.times.tolist()
    if isinstance(value, Scalar):
        return [({}, dict(zip(times, value.values.tolist(), strict=True)))]
    if isinstance(value, Vector):
        return [
            (labels, {times[at]: float(row[at]) for at in np.flatnonzero(there).tolist()})
            for labels, row, there in zip(
                value.labels.dicts(), value.values, value.present, strict=True
            )
        ]
    if isinstance(value, Samples):
        ends = value.offsets.tolist()
        return [
            (labels, dict(zip(value.times[a:b].tolist(), value.values[a:b].tolist(), strict=True)))
            for labels, a, b in zip(value.labels.dicts(), ends[:-1], ends[1:], strict=True)
        ]
    return []


def compare(expected: Series, found: Series, *, ordered: bool) -> str | None:
    """Return how series differ, None if they do not."""
    if ordered and [labels for labels, _ in expected] != [labels for labels, _ in found]:
        return f"order: expected {[s for s, _ in expected]}, got {[s for s, _ in found]}"
    left = {tuple(sorted(labels.items())): points for labels, points in found}
    for labels, points in expected:
        key = tuple(sorted(labels.items()))
        if not points:
            continue
        if key not in left:
            return f"no {labels}, got {[dict(k) for k in left]}"
        own = left.pop(key)
        if set(own) != set(points):
            return f"{labels}: expected at {sorted(points)}, got at {sorted(own)}"
        for time_ms, value in points.items():
            if not _equal(value, own[time_ms]):
                return f"{labels} at {time_ms}: expected {value}, got {own[time_ms]}"
    return f"not expected: {[dict(key) for key in left]}" if left else None


def _equal(expected: float, found: float) -> bool:
    if math.isnan(expected) or math.isnan(found):
        return math.isnan(expected) and math.isnan(found)
    if math.isinf(expected) or math.isinf(found):
        return expected == found
    return math.isclose(expected, found, rel_tol=_EPSILON, abs_tol=1e-300)


def _check_aside(loaded: _Loaded, command: Evaluation) -> str | None:
    """Check that the middle of a range around the instant is what the instant is."""
    at = command.first_ms
    node_answer = instant(command.expr, loaded.source, at, _OPTIONS)
    if not isinstance(node_answer.value, Vector | Scalar):
        return None
    answer = over_range(
        command.expr, loaded.source, at - _ASIDE_MS, at + _ASIDE_MS, _ASIDE_MS, _OPTIONS
    )
    middle = [(labels, {at: points[at]}) for labels, points in _series(answer) if at in points]
    problem = compare(_series(node_answer), middle, ordered=False)
    return f"within a range: {problem}" if problem else None
