"""Running a file of cases and reporting."""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.conformance import critical_path_suite, promql_suite
from benchmarks.conformance.algorithm_kinds import check_online, check_summary_stats
from benchmarks.conformance.comparing import Case, Checker
from benchmarks.conformance.evaluation_kinds import (
    check_eval,
    check_eval_incremental,
    check_eval_values,
    check_memdb,
    check_percentile,
    check_table,
)
from benchmarks.conformance.http_kinds import HTTP_KINDS
from benchmarks.conformance.language_kinds import LANGUAGE_KINDS
from benchmarks.conformance.normalisation_kinds import check_norm
from benchmarks.conformance.query_kinds import QUERY_KINDS
from benchmarks.conformance.text_kinds import TEXT_KINDS

KINDS: Mapping[str, Checker] = {
    **LANGUAGE_KINDS,
    **QUERY_KINDS,
    **TEXT_KINDS,
    **HTTP_KINDS,
    "eval": check_eval,
    "eval_incremental": check_eval_incremental,
    "eval_values": check_eval_values,
    "memdb": check_memdb,
    "percentile": check_percentile,
    "table": check_table,
    "online": check_online,
    "summary_stats": check_summary_stats,
    "norm": check_norm,
}
_ROOT = Path(__file__).parents[2]


def cases_file(suite: str) -> Path:
    """Return where the cases of a suite are expected."""
    shared = Path(os.environ.get("TOCSIN_SHARED") or _ROOT / "../shared")
    return shared / "conformance" / f"{suite}.jsonl"


def read_cases(path: Path) -> list[Case]:
    """Read a file of one JSON object a line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def check(case: Case) -> str | None:
    """Run one case; return what differs, or None."""
    checker = KINDS.get(case["kind"])
    if checker is None:
        return f"kind '{case['kind']}' is not known"
    try:
        return checker(case)
    except Exception as error:  # noqa: BLE001 # one broken case must not hide the others
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} at {Path(where.filename).name}:{where.lineno}"


def run(cases: Iterable[Case]) -> dict[str, Any]:
    """Run all cases; return the report."""
    by_kind: dict[str, dict[str, int]] = {}
    failures: list[dict[str, Any]] = []
    for case in cases:
        counts = by_kind.setdefault(case["kind"], {"passed": 0, "failed": 0})
        problem = check(case)
        counts["passed" if problem is None else "failed"] += 1
        if problem is not None:
            shown = {key: case[key] for key in ("id", "kind", "test") if key in case}
            program = case.get("expr") or case.get("uri") or case.get("input")
            failures.append({**shown, "case": program, "reason": problem[:500]})
    passed = sum(counts["passed"] for counts in by_kind.values())
    return {
        "passed": passed,
        "failed": len(failures),
        "by_kind": dict(sorted(by_kind.items())),
        "failures": failures,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("suite", choices=["atlas", "promql", "critical-path"], help="which cases")
    parser.add_argument("--dir", type=Path, help="directory of files instead of the suite's")
    parser.add_argument("--cases", type=Path, help="file of cases instead of the suite's own")
    parser.add_argument("--kind", action="append", help="only this kind; may be repeated")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args(arguments)
    if options.suite == "promql":
        return promql_suite.report(options.dir or promql_suite.cases_directory(), options.json)
    if options.suite == "critical-path":
        directory = options.dir or critical_path_suite.cases_directory()
        return critical_path_suite.report(directory, options.json)
    path = options.cases or cases_file(options.suite)
    if not path.is_file():
        print(f"no cases at {path}; set TOCSIN_SHARED or pass --cases", file=sys.stderr)
        return 2
    cases = read_cases(path)
    if options.kind:
        cases = [case for case in cases if case["kind"] in options.kind]
    report = run(cases)
    if options.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print_report(report)
    return 0 if report["failed"] == 0 else 1


def _print_report(report: Mapping[str, Any]) -> None:
    for kind, counts in report["by_kind"].items():
        print(f"{kind:32} {counts['passed']:5} passed {counts['failed']:5} failed")
    for failure in report["failures"]:
        print(
            f"{failure['id']:>6} {failure['kind']}: {failure['case']}\n       {failure['reason']}"
        )
    print(f"{report['passed']} passed, {report['failed']} failed")
