"""``scripts/bench rules``: a step of 1,000 standing expressions over 100,000 series."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import orjson

from benchmarks.rules.measure import Figures, measure, percentile
from benchmarks.rules.workload import Platform

TARGET_S = 1.0


def report(figures: Figures) -> dict[str, Any]:
    """Return the figures by name; seconds are processor time, a step."""
    rows = {"steady": figures.steady_s, "churn": figures.churn_s, "engine": figures.engine_s}
    return {
        "series": figures.series,
        "expressions": figures.expressions,
        "lines": figures.lines,
        "faults": figures.faults,
        "first_step_cpu_s": figures.first_s,
        **{
            f"{name}_cpu_s": {
                "p50": percentile(seconds, 50),
                "p99": percentile(seconds, 99),
                "steps": len(seconds),
            }
            for name, seconds in rows.items()
        },
        "rss_mb": figures.rss_mb,
        "target_cpu_s": TARGET_S,
    }


def as_table(found: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    head = "| step | CPU s p50 | CPU s p99 | steps |\n|---|---|---|---|"
    rows = [
        f"| {name} | {found[f'{name}_cpu_s']['p50']:.3f} | {found[f'{name}_cpu_s']['p99']:.3f} "
        f"| {found[f'{name}_cpu_s']['steps']} |"
        for name in ("steady", "churn", "engine")
        if found[f"{name}_cpu_s"]["steps"]
    ]
    title = (
        f"{found['expressions']:,} expressions ({found['faults']} faulty, {found['lines']:,} lines)"
        f" over {found['series']:,} series; first step {found['first_step_cpu_s']:.2f} s of CPU; "
        f"{found['rss_mb']:.0f} MB resident at most; target {TARGET_S} s"
    )
    return "\n".join([title, "", head, *rows])


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench rules", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--expressions", type=int, default=1_000)
    parser.add_argument("--steady", type=int, default=30, help="steps without new series")
    parser.add_argument("--churn", type=int, default=10, help="steps with new series")
    parser.add_argument("--engine", type=int, default=8, help="ticks of the whole engine")
    parser.add_argument("--new", type=float, default=0.01, help="share of the series that is new")
    arguments = parser.parse_args()
    platform = Platform(series=arguments.series, expressions=arguments.expressions)
    with tempfile.TemporaryDirectory() as name:
        figures = measure(
            platform,
            Path(name),
            steady=arguments.steady,
            churn=arguments.churn,
            share=arguments.new,
            engine=arguments.engine,
        )
    found = report(figures)
    print(orjson.dumps(found).decode() if arguments.json else as_table(found))


if __name__ == "__main__":
    main()
