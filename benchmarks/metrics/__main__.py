"""``scripts/bench metrics``: runs the comparison and prints it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from benchmarks.metrics.measure import measure
from benchmarks.metrics.table import as_table, ratios
from benchmarks.metrics.targets import MAKERS
from benchmarks.metrics.workload import WORKLOADS, Workload, write_bodies

Results = dict[str, dict[str, Any]]


def run(workloads: Sequence[Workload], targets: Sequence[str], scratch: Path) -> Results:
    """Measure every target under every workload; a target that can't is named with the reason."""
    results: Results = {}
    for workload in workloads:
        with tempfile.TemporaryDirectory(dir=scratch) as name:
            print(f"{workload.name}: writing {workload.samples:,} samples", file=sys.stderr)
            directory = Path(name)
            (directory / "bodies").mkdir()
            bodies = write_bodies(workload, directory / "bodies")
            row: dict[str, Any] = {"samples": workload.samples}
            for target_name in targets:
                home = directory / target_name
                (home / "data").mkdir(parents=True)
                target = MAKERS[target_name](home)
                if target is None:
                    row[target_name] = {"absent": f"{target_name} is not installed"}
                    continue
                print(f"{workload.name}: {target_name}", file=sys.stderr)
                try:
                    row[target_name] = asdict(measure(target, bodies))
                except RuntimeError as error:
                    row[target_name] = {"failed": str(error)}
                print(f"{workload.name}: {target_name}: {row[target_name]}", file=sys.stderr)
            results[workload.name] = row
    return results


def main() -> None:
    """Parse the command line and run."""
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(prog="scripts/bench metrics", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the series")
    parser.add_argument("--workload", choices=names, action="append", help="only this one")
    parser.add_argument("--target", choices=list(MAKERS), action="append", help="only this one")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    chosen = [
        w.scaled(arguments.scale) for w in WORKLOADS if w.name in (arguments.workload or names)
    ]
    results = run(chosen, arguments.target or list(MAKERS), arguments.scratch)
    report = {"scale": arguments.scale, "results": results, "ratios": ratios(results)}
    print(orjson.dumps(report).decode() if arguments.json else as_table(report))


if __name__ == "__main__":
    main()
