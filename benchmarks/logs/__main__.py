"""``scripts/bench logs [--lines N] [--json]``: acknowledged lines a second, searches, weights."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import orjson

from benchmarks.logs.measure import measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000, help="how many [10 million]")
    parser.add_argument(
        "--history-lines", type=int, default=100_000, help="how many in history [100,000]"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = measured(given.lines, Path(directory), given.history_lines) | {
            "load": os.getloadavg()[0]
        }
    if given.json:
        print(orjson.dumps(found).decode())
        return
    for name, value in found.items():
        print(f"{name:32} {value:>14,.1f}")


if __name__ == "__main__":
    main()
