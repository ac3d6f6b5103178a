"""``scripts/bench detection``: a step of each detector over 1,000,000 series."""

from __future__ import annotations

import argparse
import multiprocessing
from typing import Any

import numpy as np
import orjson

from anomaly.detectors.registry import detectors
from benchmarks.detection.measure import Figures, measure

TARGET_S = 1.0


def report(figures: Figures) -> dict[str, Any]:
    """Return the figures by name; seconds are processor time, a step."""
    rows = {"usual": figures.usual_s, "fault": figures.fault_s, "new": figures.new_s}
    return {
        "series": figures.series,
        **{
            f"{name}_cpu_s": {
                "p50": float(np.percentile(seconds, 50)),
                "p99": float(np.percentile(seconds, 99)),
                "steps": len(seconds),
            }
            for name, seconds in rows.items()
        },
        "anomalous": figures.anomalous,
        "memory_mb": figures.memory_mb,
        "bytes_per_series": figures.bytes_per_series,
    }


def as_table(found: dict[str, dict[str, Any]]) -> str:
    """Return the reports as Markdown."""
    head = (
        "| detector | series | usual p50 | p99 | fault p50 | p99 | new series p50 | p99 "
        "| found wrong | MB | bytes/series |"
    )
    lines = [f"Seconds of processor time a step; target {TARGET_S}", "", head, "|" + "---|" * 11]
    for name, row in found.items():
        seconds = " | ".join(
            f"{row[f'{kind}_cpu_s'][p]:.3f}" for kind in ("usual", "fault", "new") for p in _SHOWN
        )
        lines.append(
            f"| {name} | {row['series']:,} | {seconds} | {row['anomalous']:,} "
            f"| {row['memory_mb']:.0f} | {row['bytes_per_series']:.0f} |"
        )
    return "\n".join(lines)


_SHOWN = ("p50", "p99")


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, int(value) if value.isdigit() else float(value)


def main() -> None:
    """Parse the command line and run, each detector in a process of its own."""
    parser = argparse.ArgumentParser(prog="scripts/bench detection", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="a setting, for the detectors that have it",
    )
    parser.add_argument("--steps", type=int, default=20, help="steps measured")
    parser.add_argument("--share", type=float, default=0.01, help="of series that fail or are new")
    parser.add_argument("--detector", choices=list(detectors()), action="append", help="only this")
    arguments = parser.parse_args()
    options = {
        "series": arguments.series,
        "steps": arguments.steps,
        "share": arguments.share,
        "settings": dict(arguments.set),
    }
    found = {}
    for name in arguments.detector or list(detectors()):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found[name] = report(pool.apply(measure, (name,), options))
    print(orjson.dumps(found).decode() if arguments.json else as_table(found))


if __name__ == "__main__":
    main()
