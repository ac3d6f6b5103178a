"""``scripts/bench queries``: honest requests beside the nastiest queries."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import orjson

from benchmarks.metrics.workload import Workload, write_bodies
from benchmarks.queries.measure import Platform, Waits, measure_all


def run(series: int, seconds: float, scratch: Path) -> list[Waits]:
    """Fill a server with ``series`` of 30 steps and measure for ``seconds`` a row."""
    workload = Workload(name="wide", series=series, steps=30, per_request=30)
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        directory = Path(name)
        (directory / "bodies").mkdir()
        bodies = write_bodies(workload, directory / "bodies")
        platform = Platform(directory / "tocsin", {})
        platform.server.start()
        try:
            platform.load(bodies)
            print(f"{series:,} series loaded", file=sys.stderr)
            return measure_all(platform, bodies, seconds)
        finally:
            platform.server.stop(signal.SIGKILL)


def as_table(rows: Sequence[Waits]) -> str:
    """Return the rows as Markdown."""
    names = [field.name for field in fields(Waits)]
    lines = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    lines += [f"| {' | '.join(str(v) for v in asdict(row).values())} |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench queries", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    rows = run(arguments.series, arguments.seconds, arguments.scratch)
    if arguments.json:
        print(orjson.dumps([asdict(row) for row in rows]).decode())
    else:
        print(as_table(rows))


if __name__ == "__main__":
    main()
