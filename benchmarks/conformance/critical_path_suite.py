"""Runs traces with the critical path that is expected of them, in the form of CRISP's own cases.

A file holds a trace as Jaeger exports it, with the expected answers under ``testing``: the time on
the path by operation, all work, and what would be saved without errors.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from collectors.model import Span
from collectors.traces.testing import make_span
from collectors.traces.tree.critical_path import CriticalPath, critical_path
from collectors.traces.tree.lineage import identity

_ROOT = Path(__file__).parents[2]
_NS_PER_UNIT = 1_000_000
# Maps of errors along the path, which no answer of ours has.
UNCHECKED = ("errCPCallpathTimeExclusive", "errCPErrCounts")


def cases_directory() -> Path:
    """Return where the cases are expected."""
    shared = Path(os.environ.get("TOCSIN_SHARED") or _ROOT / "../shared")
    return shared / "conformance" / "critical_path"


def case_files(directory: Path) -> list[Path]:
    """Return the files of cases by their number."""
    return sorted(directory.glob("*.json"), key=lambda path: (len(path.stem), path.stem))


def report(directory: Path, as_json: bool) -> int:
    """Run the cases of a directory and print what came of them; return the exit status."""
    files = case_files(directory)
    if not files:
        print(f"no cases in {directory}; set TOCSIN_SHARED or pass --dir", file=sys.stderr)
        return 2
    checked, failures, unchecked = 0, [], 0
    for path in files:
        document = json.loads(path.read_text(encoding="utf-8"))
        unchecked += sum(key in expected_of(document) for key in UNCHECKED)
        for what, expected, found in answers(document):
            checked += 1
            if expected != found:
                failures.append(
                    {"case": path.name, "what": what, "expected": expected, "found": found}
                )
    totals = {"passed": checked - len(failures), "failed": len(failures), "unchecked": unchecked}
    if as_json:
        print(json.dumps({**totals, "failures": failures}, indent=2))
    else:
        for one in failures:
            print(f"{one['case']}: {one['what']}: expected {one['expected']}, got {one['found']}")
        print(
            f"{totals['passed']} passed, {totals['failed']} failed in {len(files)} traces; "
            f"{unchecked} answers about errors along the path are not checked"
        )
    return 1 if failures else 0


def expected_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return what is expected of a trace."""
    expected = document["testing"]
    return {"opTimeExclusive": expected[0]} if isinstance(expected, list) else expected


def answers(document: dict[str, Any]) -> Iterator[tuple[str, object, object]]:
    """Yield what is asked of a trace, what is expected and what is found."""
    expected, spans = expected_of(document), jaeger_spans(document)
    found = critical_path(spans)
    if found is None:
        yield "critical path", "one", None
        return
    yield "opTimeExclusive", expected["opTimeExclusive"], by_operation(found, spans)
    for key, value_ns in (
        ("totalWork", found.total_work_ns),
        ("timeSavedOnWork", found.error_work_ns),
        ("timeSavedOnCP", found.error_saved_ns),
    ):
        if key in expected:
            yield key, expected[key], value_ns // _NS_PER_UNIT


def jaeger_spans(document: dict[str, Any]) -> list[Span]:
    """Read a Jaeger trace; one time unit becomes a millisecond, as only ratios matter."""
    (trace,) = document["data"]
    return [
        make_span(
            span["spanID"],
            trace=trace["traceID"],
            parent=next((ref["spanID"] for ref in span["references"]), ""),
            name=span["operationName"],
            service=trace["processes"][span["processID"]]["serviceName"],
            start_ms=span["startTime"] + 1,
            duration_ms=span["duration"],
            error=any(map(_says_error, [*span.get("tags", ()), *_logged(span)])),
        )
        for span in trace["spans"]
    ]


def by_operation(path: CriticalPath, spans: Iterable[Span]) -> dict[str, int]:
    """Return the time on the path by service and operation, in the trace's units."""
    names = {identity(span): f"[{span.service}] {span.name}" for span in spans}
    total: Counter[str] = Counter()
    for key, time_ns in path.exclusive_ns.items():
        total[names[key]] += time_ns // _NS_PER_UNIT
    return dict(total)


def _logged(span: dict[str, Any]) -> list[dict[str, Any]]:
    return [field for log in span.get("logs", ()) for field in log["fields"]]


def _says_error(tag: dict[str, Any]) -> bool:
    key, value = tag["key"], tag["value"]
    return (
        (key == "error" and value not in (False, "false"))
        or (key == "http.status_code" and int(value) >= 400)
        or (key == "grpc.status" and value != "OK")
        or (key == "event" and value == "error")
    )
