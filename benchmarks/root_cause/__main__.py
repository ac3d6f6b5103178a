"""``scripts/bench root-cause``: which commit broke it, if any, without a language model."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from anomaly.causes.commits.rank import culprit, ranked
from benchmarks.root_cause.cases import NONE, Case, read_cases

_ROOT = Path(__file__).parents[2]
_TARGETS = {"right": 18 / 24, "first_failing": 22 / 24}
_MOST_DECOYS = 2 / 24


def answer(case: Case) -> str:
    """Return the commit at fault, or :data:`NONE`."""
    found = culprit(ranked(case.commits, case.incident), case.incident)
    return found.id if found else NONE


def report(directory: Path) -> dict[str, Any]:
    """Answer every incident of ``directory`` and return the figures by name."""
    cases = list(read_cases(directory))
    answers = [answer(case) for case in cases]
    pairs = list(zip(cases, answers, strict=True))
    count = max(1, len(cases))
    right = sum(given == case.culprit for case, given in pairs)
    decoys = sum(given not in (case.culprit, NONE) for case, given in pairs)
    first = sum(case.incident.service == case.first_failing for case in cases)
    return {
        "cases": len(cases),
        "right": right,
        "decoys": decoys,
        "first_failing": first,
        "targets": {**_TARGETS, "decoys": _MOST_DECOYS},
        "met": right / count >= _TARGETS["right"]
        and first / count >= _TARGETS["first_failing"]
        and decoys / count <= _MOST_DECOYS,
        "misses": [
            {"case": case.name, "answer": given, "truly": case.culprit}
            for case, given in pairs
            if given != case.culprit
        ],
    }


def as_table(found: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    least = _TARGETS["first_failing"]
    first_line = f"| first failing service | {found['first_failing']} | at least {least:.3f} |"
    misses = [f"- {one['case']}: {one['answer']}, truly {one['truly']}" for one in found["misses"]]
    return "\n".join(
        [
            f"{found['cases']} incidents",
            "",
            "| measure | incidents | target, share |",
            "|---|---|---|",
            f"| culprit or none right | {found['right']} | at least {_TARGETS['right']:.3f} |",
            f"| a wrong commit accused | {found['decoys']} | at most {_MOST_DECOYS:.3f} |",
            first_line,
            "",
            *misses,
        ]
    )


def main() -> int:
    """Parse the command line and run; 0 when every target is met, 1 when not, 2 without data."""
    parser = argparse.ArgumentParser(prog="scripts/bench root-cause", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--data", type=Path, help="directory of the incidents")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("TOCSIN_SHARED") or _ROOT / "../shared")
    directory = arguments.data or shared / "bench" / "root_cause_bench"
    if not any(directory.glob("*/alert.json")):
        print(f"no incidents in {directory}; set TOCSIN_SHARED or pass --data", file=sys.stderr)
        return 2
    found = report(directory)
    options = orjson.OPT_INDENT_2
    print(orjson.dumps(found, option=options).decode() if arguments.json else as_table(found))
    return 0 if found["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
