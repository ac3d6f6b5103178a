"""``scripts/bench detect``: a step of the combined detector over 1,000,000 series."""

from __future__ import annotations

import argparse
import multiprocessing
from typing import Any

import numpy as np
import orjson

from anomaly.detectors.registry import detectors
from benchmarks.detect.rivals import costs
from benchmarks.detection.measure import Figures, measure

DETECTOR = "novelty"
"""What judges any line that nobody configured."""
TARGET_S = 0.5
TARGET_BYTES = 2_000
SETTINGS = {"false_alarms_per_week": 100.0, "hold_steps": 2}
"""So that steps of a second and a few minutes of past are enough to find those that fail."""


def report(figures: Figures, rivals: dict[str, float], detector: str = DETECTOR) -> dict[str, Any]:
    """Return all figures by name; seconds are processor time."""
    step_s = float(np.percentile(figures.usual_s, 50))
    own_s = step_s / figures.series
    return {
        "detector": detector,
        "series": figures.series,
        "step_cpu_s": step_s,
        "step_cpu_s_p99": float(np.percentile(figures.usual_s, 99)),
        "fault_step_cpu_s": float(np.percentile(figures.fault_s, 50)),
        "us_per_series": own_s * 1e6,
        "bytes_per_series": figures.bytes_per_series,
        "found_wrong": figures.anomalous,
        "target": {"step_cpu_s": TARGET_S, "bytes_per_series": TARGET_BYTES},
        "others": {
            name: {"us_per_series": seconds * 1e6, "times_ours": seconds / own_s}
            for name, seconds in rivals.items()
        },
    }


def as_table(found: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    summary = (
        f"{found['series']:,} series: {found['step_cpu_s']:.3f} s a step (target {TARGET_S}), "
        f"{found['fault_step_cpu_s']:.3f} s when some fail, {found['bytes_per_series']:.0f} bytes "
        f"a series (target {TARGET_BYTES}), {found['found_wrong']:,} found wrong"
    )
    lines = [
        summary,
        "",
        "| one value of one series | µs | times ours |",
        "|---|---|---|",
        f"| {found['detector']} | {found['us_per_series']:.2f} | 1 |",
    ]
    for name, row in found["others"].items():
        lines.append(f"| {name} | {row['us_per_series']:,.1f} | {row['times_ours']:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Parse the command line and run, the detector in a process of its own."""
    parser = argparse.ArgumentParser(prog="scripts/bench detect", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=20, help="steps measured")
    parser.add_argument("--share", type=float, default=0.01, help="of series that fail")
    parser.add_argument("--detector", choices=list(detectors()), default=DETECTOR)
    arguments = parser.parse_args()
    options = {
        "series": arguments.series,
        "steps": arguments.steps,
        "share": arguments.share,
        "settings": SETTINGS,
    }
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        figures = pool.apply(measure, (arguments.detector,), options)
    found = report(figures, dict(costs()), arguments.detector)
    print(orjson.dumps(found).decode() if arguments.json else as_table(found))


if __name__ == "__main__":
    main()
