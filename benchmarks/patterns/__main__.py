"""``scripts/bench patterns``: regular expressions over 100,000 values of a tag key."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

import orjson

from benchmarks.patterns.measure import hostile, scans


def report(*, values: int, rounds: int, kilobytes: int) -> dict[str, Any]:
    """Measure and return the figures by name."""
    return {
        "values": values,
        "scans": [asdict(scan) for scan in scans(values, rounds)],
        "hostile_kilobytes": kilobytes,
        "hostile_ms": hostile(kilobytes),
    }


def as_table(found: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    rows = [
        f"| `{_cell(scan['pattern'])}` | {scan['found']:,} | {scan['ours_ms']:.1f} "
        f"| {scan['python_ms']:.1f} |"
        for scan in found["scans"]
    ]
    costs = [f"| `{_cell(text)}` | {spent:.0f} |" for text, spent in found["hostile_ms"].items()]
    return "\n".join(
        [
            f"{found['values']:,} values of one key, processor time, best of some rounds",
            "",
            "| pattern | values found | index scan, ms | Python's `re` alone, ms |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Patterns made to be slow, over {found['hostile_kilobytes']:,} KB of text",
            "",
            "| pattern | ms |",
            "|---|---|",
            *costs,
        ]
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench patterns", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--values", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--kilobytes", type=int, default=1_000, help="text for hostile patterns")
    arguments = parser.parse_args()
    found = report(values=arguments.values, rounds=arguments.rounds, kilobytes=arguments.kilobytes)
    print(orjson.dumps(found).decode() if arguments.json else as_table(found))


if __name__ == "__main__":
    main()
