"""``scripts/bench traces``: spans acknowledged a second, searches in memory and in history."""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.traces.measure import Figures, measure_history, measure_server
from benchmarks.traces.workload import SPANS_A_TRACE

SENT_SPANS, KEPT_SPANS = 400_000, 10_000_000


def as_table(figures: Figures) -> str:
    """Return the figures as Markdown."""
    lines = [
        (
            f"acknowledged: {figures.sent_per_s:,.0f} spans/s ({figures.sent_spans:,} over "
            f"OTLP/HTTP, two senders), {figures.memory_mb:,.0f} MB resident after"
        ),
        (
            f"to history: {figures.our_rows_per_s:,.0f} spans/s our way, "
            f"{figures.engine_rows_per_s:,.0f} rows/s made and inserted within ClickHouse itself"
        ),
        f"on disk: {figures.disk_bytes_per_span:.1f} bytes a span",
        "",
        (
            f"| search | in memory, {figures.sent_spans:,}: median ms | worst "
            f"| in history, {figures.kept_spans:,}: median ms | worst | processor |"
        ),
        "|---|---|---|---|---|---|",
    ]
    for name in figures.memory_ms.keys() | figures.kept_ms.keys():
        cells = (*figures.memory_ms.get(name, ()), *figures.kept_ms.get(name, ()))
        cells += (figures.kept_cpu_ms[name],) if name in figures.kept_cpu_ms else ()
        lines.append(f"| {name} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="scripts/bench traces", description=__doc__)
    parser.add_argument("--spans", type=int, default=SENT_SPANS, help="sent to a server")
    parser.add_argument("--kept", type=int, default=KEPT_SPANS, help="in history")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as directory:
        if options.spans:
            measure_server(Path(directory), options.spans // SPANS_A_TRACE, figures)
        if options.kept:
            measure_history(Path(directory), options.kept // SPANS_A_TRACE, figures)
    print(json.dumps(asdict(figures), indent=2) if options.json else as_table(figures))


if __name__ == "__main__":
    main()
