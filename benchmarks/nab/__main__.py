"""``scripts/bench nab``: novelty in the benchmark's series, causal, by one set of parameters."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from benchmarks.nab.corpus import Corpus, default_directory, read_corpus
from benchmarks.nab.measure import Found, begun_later, categories, find, folds
from benchmarks.nab.practical import Practical, practical, within_budget
from benchmarks.nab.scoring import PROFILES, at_thresholds, held_out, in_sample

BUDGETS = (0.26, 0.39, 0.5, 0.85)
"""False alarms a series-week."""
_PAGING_BUDGET = BUDGETS[0]


def report(corpus: Corpus, found: Found, chosen_on: Corpus | None) -> dict[str, Any]:
    """Return all figures by name.

    Args:
        corpus: What is scored.
        found: What the detector says of it.
        chosen_on: Where thresholds are chosen besides; None for nowhere.
    """
    best = in_sample(corpus, found.alarm)
    parts = folds(corpus)
    figures: dict[str, Any] = {
        "series": len(corpus.series),
        "windows": corpus.labels,
        "values": found.values,
        "us_per_value": found.seconds / found.values * 1e6,
        "alarm": {
            "best_thresholds": _named(best),
            "thresholds": {name: threshold for name, (_, threshold) in best.items()},
            "chosen_on_other_files": held_out(corpus, found.alarm, parts),
            "chosen_on_other_categories": held_out(corpus, found.alarm, categories(corpus)),
            "begun_later": begun_later(corpus),
            "practical": _row(practical(corpus.series, found.alarm, best["standard"][1])),
        },
        "page": {
            "best_thresholds": _named(in_sample(corpus, found.page)),
            "within_budget": {
                str(budget): _row(within_budget(corpus.series, found.page, budget))
                for budget in BUDGETS
            },
            "chosen_on_other_files": _paged(corpus, found, parts),
        },
    }
    if chosen_on is not None:
        figures["fixed"] = _fixed(corpus, found, chosen_on)
    return figures


def _fixed(corpus: Corpus, found: Found, chosen_on: Corpus) -> dict[str, Any]:
    there = find(chosen_on)
    thresholds = {name: at for name, (_, at) in in_sample(chosen_on, there.alarm).items()}
    paging = within_budget(chosen_on.series, there.page, _PAGING_BUDGET).threshold
    return {
        "thresholds": thresholds,
        "alarm": at_thresholds(corpus, found.alarm, thresholds),
        "page": _row(practical(corpus.series, found.page, paging)),
    }


def _paged(corpus: Corpus, found: Found, parts: list[Any]) -> dict[str, Any]:
    caught, false_alarms, weeks = 0, 0, 0.0
    for part in parts:
        own = {one.name for one in part}
        others = [one for one in corpus.series if one.name not in own]
        threshold = within_budget(others, found.page, _PAGING_BUDGET).threshold
        here = practical(part, found.page, threshold)
        caught, false_alarms = caught + here.caught, false_alarms + here.false_alarms
        weeks += here.weeks
    return {"caught": caught, "false_alarms_per_series_week": false_alarms / weeks}


def _named(best: dict[str, tuple[float, float]]) -> dict[str, float]:
    return {name: score for name, (score, _) in best.items()}


def _row(found: Practical) -> dict[str, Any]:
    return {**asdict(found), "false_alarms_per_series_week": found.per_week}


def as_table(figures: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    size = f"{figures['series']} series, {figures['windows']} windows, {figures['values']:,} values"
    lines = [
        f"{size}, {figures['us_per_value']:.2f} µs a value",
        "",
        "| alarms told at once | " + " | ".join(PROFILES) + " |",
        "|---|---|---|---|",
    ]
    alarm, page = figures["alarm"], figures["page"]
    shown = {
        "best thresholds": alarm["best_thresholds"],
        "chosen on other files": alarm["chosen_on_other_files"],
        "chosen on other categories": alarm["chosen_on_other_categories"],
        "mean of runs that begin later": alarm["begun_later"]["mean"],
        "± of one": alarm["begun_later"]["deviation"],
        "held, best thresholds": page["best_thresholds"],
    }
    if "fixed" in figures:
        shown["chosen on the other corpus"] = figures["fixed"]["alarm"]
    for name, scores in shown.items():
        lines.append(f"| {name} | " + " | ".join(f"{scores[each]:.1f}" for each in PROFILES) + " |")
    lines += ["", "| false alarms a series-week | windows caught | threshold |", "|---|---|---|"]
    rows = [alarm["practical"], *page["within_budget"].values()]
    if "fixed" in figures:
        rows.append(figures["fixed"]["page"])
    for label, row in zip(["at once", *["held"] * len(rows)], rows, strict=False):
        lines.append(
            f"| {row['false_alarms_per_series_week']:.2f} ({label}) "
            f"| {row['caught']} of {row['windows']} | {row['threshold']:.2f} |"
        )
    other = page["chosen_on_other_files"]
    lines.append(
        f"| {other['false_alarms_per_series_week']:.2f} (held, chosen on other files) "
        f"| {other['caught']} | |"
    )
    return "\n".join(lines)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench nab", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--corpus", type=Path, default=default_directory(), metavar="DIR")
    parser.add_argument(
        "--chosen-on", type=Path, metavar="DIR", help="another corpus, to choose thresholds on"
    )
    arguments = parser.parse_args()
    for directory in filter(None, (arguments.corpus, arguments.chosen_on)):
        if not (directory / "windows.json").is_file():
            reason = f"no windows.json in {directory}; set TOCSIN_SHARED or pass --corpus"
            print(f"skipped: {reason}", file=sys.stderr)
            if arguments.json:
                print(orjson.dumps({"skipped": reason}).decode())
            return 0
    corpus = read_corpus(arguments.corpus)
    chosen_on = None if arguments.chosen_on is None else read_corpus(arguments.chosen_on)
    figures = report(corpus, find(corpus), chosen_on)
    print(orjson.dumps(figures).decode() if arguments.json else as_table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
