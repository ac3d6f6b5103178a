"""Results as Markdown, and the ratios that the targets speak of."""

from __future__ import annotations

from typing import Any

PEERS = ("victoria_metrics", "prometheus")


def ratios(results: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return tocsin against each peer: above 1 is better for tocsin."""
    found: dict[str, dict[str, float]] = {}
    for workload, row in results.items():
        ours = row.get("tocsin", {})
        for peer in PEERS:
            theirs = row.get(peer, {})
            if "samples_per_s" not in ours or "samples_per_s" not in theirs:
                continue
            found[f"{workload} vs {peer}"] = {
                "ingest": ours["samples_per_s"] / theirs["samples_per_s"],
                "ingest_cpu": theirs["cpu_ns_per_sample"] / ours["cpu_ns_per_sample"],
                "group_by": theirs["query_ms"]["group_by"] / ours["query_ms"]["group_by"],
                "memory": theirs["rss_mb"] / ours["rss_mb"],
                "disk": theirs["disk_bytes_per_sample"] / ours["disk_bytes_per_sample"],
            }
    return found


def as_table(report: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    head = (
        "workload | system | samples/s | CPU ns/sample | group-by ms | filter ms | top-k ms | "
        "one series ms | busy p50 ms | busy p99 ms | RSS MB | disk B/sample | restart s"
    )
    lines = [f"| {head} |", "|" + "---|" * (head.count("|") + 1)]
    for workload, row in report["results"].items():
        for system, figures in row.items():
            if isinstance(figures, dict):
                lines.append(f"| {workload} | {system} | {_cells(figures)} |")
    lines += [
        "",
        "| tocsin is better above 1 | ingest | ingest CPU | group-by | memory | disk |",
    ]
    lines.append("|---|---|---|---|---|---|")
    for name, values in report["ratios"].items():
        lines.append(f"| {name} | " + " | ".join(f"{v:.2f}" for v in values.values()) + " |")
    return "\n".join(lines)


def _cells(figures: dict[str, Any]) -> str:
    for word in ("absent", "failed"):
        if word in figures:
            return f"{word}: {figures[word]}" + " |" * 10
    numbers = [
        f"{figures['samples_per_s']:,.0f}",
        f"{figures['cpu_ns_per_sample']:.0f}",
        *(f"{value:.1f}" for value in figures["query_ms"].values()),
        f"{figures['busy_query_p50_ms']:.1f}",
        f"{figures['busy_query_p99_ms']:.1f}",
        f"{figures['rss_mb']:.0f}",
        f"{figures['disk_bytes_per_sample']:.2f}",
        f"{figures['restart_s']:.2f}",
    ]
    return " | ".join(numbers)
