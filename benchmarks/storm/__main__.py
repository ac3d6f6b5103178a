"""``scripts/bench storm``: 10,000 findings at once, and 8 s later an outage of another service."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import orjson

from benchmarks.storm.measure import PATHS, Figures, percentile, playing

TARGET_PAGE_S, TARGET_ANSWER_MS = 30.0, 1_000.0


def report(figures: Figures) -> dict[str, Any]:
    """Return the figures by name."""
    return {
        "findings": figures.findings,
        "incidents": figures.incidents,
        "messages": figures.messages,
        "storm_page_s": figures.storm_page_s,
        "unrelated_page_s": figures.unrelated_page_s,
        "lag_s": figures.lag_s,
        "answers": {
            path: {
                "p50_ms": percentile(figures.waits_ms[path], 50),
                "p99_ms": percentile(figures.waits_ms[path], 99),
                "count": len(figures.waits_ms[path]),
            }
            for path in PATHS
        },
        "memory_before_mb": figures.memory_before_mb,
        "memory_mb": figures.memory_mb,
        "cpu_s": figures.cpu_s,
        "target_page_s": TARGET_PAGE_S,
        "target_answer_ms": TARGET_ANSWER_MS,
    }


def as_table(found: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    answers = found["answers"]
    head = (
        "| findings | incidents | messages | storm's page s | unrelated page s | lag s "
        "| findings p99 ms | incidents p99 ms | health p99 ms | memory MB | CPU s |"
    )
    cells = [
        f"{found['findings']:,}",
        str(found["incidents"]),
        str(found["messages"]),
        _seconds(found["storm_page_s"]),
        _seconds(found["unrelated_page_s"]),
        f"{found['lag_s']:.1f}",
        *(f"{answers[path]['p99_ms']:.0f}" for path in PATHS),
        f"{found['memory_before_mb']:.0f} → {found['memory_mb']:.0f}",
        f"{found['cpu_s']:.0f}",
    ]
    return "\n".join([head, "|" + "---|" * len(cells), "| " + " | ".join(cells) + " |"])


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench storm", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--users", type=int, default=10_000, help="groups that fail at once")
    parser.add_argument("--step", type=int, default=5, help="seconds")
    parser.add_argument("--before", type=float, default=60, help="seconds in which all is well")
    parser.add_argument("--after", type=float, default=60, help="seconds after the other outage")
    parser.add_argument("--history", default="", help="TOCSIN_HISTORY; the default is embedded")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        playing(Path(name), users=chosen.users, step_s=chosen.step, history=chosen.history) as play,
    ):
        found = report(play.run(before_s=chosen.before, after_s=chosen.after))
    print(orjson.dumps(found).decode() if chosen.json else as_table(found))


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    main()
