"""``scripts/bench streaming``: which tags explain a streaming incident, as its alarm comes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from benchmarks.streaming.cases import read_cases
from benchmarks.streaming.measure import answers, cross_validated, figures

_ROOT = Path(__file__).parents[2]
_TARGETS = {"exact": 0.75, "exact_at_3": 0.95, "mean_f1": 0.90}


def report(directory: Path, *, cross_validate: bool = False) -> dict[str, Any]:
    """Answer every case of ``directory`` and return the figures by name."""
    cases = list(read_cases(directory))
    began_s = time.process_time()
    found = [answers(case) for case in cases]
    spent_s = time.process_time() - began_s
    scored = figures(cases, found)
    misses = [
        {
            "case": case.name,
            "answers": [dict(sorted(one)) for one in given],
            "causes": [dict(sorted(one)) for one in case.causes],
        }
        for case, given in zip(cases, found, strict=True)
        if not given or given[0] not in case.causes
    ]
    result = {
        **asdict(scored),
        "targets": _TARGETS,
        "met": all(getattr(scored, name) >= least for name, least in _TARGETS.items()),
        "cpu_ms_per_case": 1_000 * spent_s / max(1, len(cases)),
        "misses": misses,
    }
    return result | ({"cross_validation": cross_validated(cases)} if cross_validate else {})


def as_table(found: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    rows = [f"| {name} | {found[name]:.3f} | {least} |" for name, least in _TARGETS.items()]
    misses = [f"- {m['case']}: {m['answers'][:1]}, truly {m['causes']}" for m in found["misses"]]
    return "\n".join(
        [
            f"{found['cases']} incidents, {found['cpu_ms_per_case']:.0f} ms of processor time each",
            "",
            *("| measure | share | target |", "|---|---|---|", *rows),
            "",
            *("Not exact at first:", *misses),
        ]
    )


def main() -> int:
    """Parse the command line and run; 0 when every target is met, 1 when not, 2 without data."""
    parser = argparse.ArgumentParser(prog="scripts/bench streaming", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--data", type=Path, help="directory of the cases")
    parser.add_argument(
        "--cross-validate", action="store_true", help="also choose on halves, score on the others"
    )
    arguments = parser.parse_args()
    shared = Path(os.environ.get("TOCSIN_SHARED") or _ROOT / "../shared")
    directory = arguments.data or shared / "bench" / "streaming_incidents"
    if not (directory / "causes.json").is_file():
        print(f"no causes.json in {directory}; set TOCSIN_SHARED or pass --data", file=sys.stderr)
        return 2
    found = report(directory, cross_validate=arguments.cross_validate)
    print(
        orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()
        if arguments.json
        else as_table(found)
    )
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
