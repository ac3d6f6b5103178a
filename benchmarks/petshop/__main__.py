"""``scripts/bench petshop``: which service is at fault, by the call graph and its metrics."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from benchmarks.petshop.measure import measure
from benchmarks.petshop.scenario import read_scenario

_ROOT = Path(__file__).parents[2]
_TARGETS = {"top_1": 0.85, "top_3": 0.92, "specificity": 0.95}


def report(directories: list[Path]) -> dict[str, Any]:
    """Answer every issue of some scenarios and return the figures by name, each and together."""
    began_s = time.process_time()
    scenarios = {place.name: asdict(measure(read_scenario(place))) for place in directories}
    whole = {
        name: sum(one[name] for one in scenarios.values())
        for name in next(iter(scenarios.values()))
        if name != "misses"
    }
    shares = {
        "top_1": whole["top_1"] / max(1, whole["issues"]),
        "top_3": whole["top_3"] / max(1, whole["issues"]),
        "path_right": whole["path_right"] / max(1, whole["issues"]),
        "specificity": whole["healthy_splits"] / max(1, whole["splits"]),
        "specificity_of_short_frames": whole["healthy_frames"] / max(1, whole["frames"]),
    }
    return {
        **shares,
        "issues": whole["issues"],
        "targets": _TARGETS,
        "met": all(shares[name] >= least for name, least in _TARGETS.items()),
        "cpu_s": time.process_time() - began_s,
        "scenarios": scenarios,
    }


def as_table(found: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    names = ("top_1", "top_3", "path_right", "specificity", "specificity_of_short_frames")
    rows = [f"| {name} | {found[name]:.3f} | {_TARGETS.get(name, '')} |" for name in names]
    misses = [
        f"- {scenario} {name}: {', '.join(given) or 'nobody'}, truly {cause}"
        for scenario, one in found["scenarios"].items()
        for name, cause, given in one["misses"]
    ]
    head = f"{found['issues']} issues of {', '.join(found['scenarios'])}"
    return "\n".join(
        [head, "", "| measure | share | target |", "|---|---|---|", *rows, "", *misses]
    )


def main() -> int:
    """Parse the command line and run; 0 when every target is met, 1 when not, 2 without data."""
    parser = argparse.ArgumentParser(prog="scripts/bench petshop", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--data", type=Path, help="a scenario, or a directory of scenarios")
    arguments = parser.parse_args()
    shared = Path(os.environ.get("TOCSIN_SHARED") or _ROOT / "../shared")
    place = arguments.data or shared / "bench" / "petshop"
    found = sorted(one.parent for one in [*place.glob("graph.csv"), *place.glob("*/graph.csv")])
    if not found:
        print(f"no graph.csv in {place}; set TOCSIN_SHARED or pass --data", file=sys.stderr)
        return 2
    told = report(found)
    options = orjson.OPT_INDENT_2
    print(orjson.dumps(told, option=options).decode() if arguments.json else as_table(told))
    return 0 if told["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
