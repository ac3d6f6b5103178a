"""``scripts/bench pages [--before REF] [--viewers 1 10] [--ticks] [--stopwatch | --acknowledge]``.

Pages, watched by so many people; or with ``--stopwatch`` what people do in them, in clicks and
seconds; or with ``--acknowledge`` how soon that one click is seen, ``--busy`` beside loops that
compute. With ``--before`` the dashboard of another commit is measured in the same run, against the
same API of made-up data.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.pages.acknowledged import seen
from benchmarks.pages.measure import measured
from benchmarks.pages.stopwatch import timed

HERE = Path(__file__).parents[2]
PAGES = {
    "war room": "/war_room",
    "war room, charts": "/war_room?view=Charts",
    "service": "/service?service=playback",
    "overview": "/",
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", help="a commit whose dashboard is measured, too")
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 10], help="[1 10]")
    parser.add_argument("--pages", nargs="+", default=list(PAGES), choices=PAGES, help="[all]")
    parser.add_argument("--seconds", type=float, default=30.0, help="watched so long [30]")
    parser.add_argument("--ticks", action="store_true", help="no browser: ticks alone")
    parser.add_argument("--stopwatch", action="store_true", help="count clicks and seconds")
    parser.add_argument(
        "--acknowledge", action="store_true", help="from the click until it is seen"
    )
    parser.add_argument("--busy", type=int, default=0, help="loops that compute beside it [0]")
    parser.add_argument("--json", action="store_true", help="print a line of JSON a row")
    given = parser.parse_args()
    if given.stopwatch or given.acknowledge:
        for row in seen(given.busy) if given.acknowledge else timed():
            told(row, f"{row['task']}", as_json=given.json)
        return
    with checkouts(given.before) as found:
        for viewers in given.viewers:
            for name, checkout in found.items():
                for page in given.pages:
                    row = {"dashboard": name, "page": page, "viewers": viewers}
                    row |= {"load": os.getloadavg()[0]}
                    row |= measured(
                        checkout, viewers, given.seconds, PAGES[page], is_drawn=not given.ticks
                    )
                    told(row, f"{name}: {page}, {viewers} viewers", as_json=given.json)


def told(row: Mapping[str, object], title: str, *, as_json: bool) -> None:
    """Print a row of figures as soon as it is known."""
    if as_json:
        print(json.dumps(row), flush=True)
        return
    print(f"\n{title}")
    for name, value in row.items():
        if isinstance(value, float):
            print(f"  {name:36} {value:>10,.1f}", flush=True)


@contextmanager
def checkouts(before: str | None) -> Iterator[dict[str, Path]]:
    """Yield the checkouts to measure by their names: this one, and that of a commit before."""
    if before is None:
        yield {"now": HERE}
        return
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory) / "before"
        add = ["git", "worktree", "add", "--detach", "--quiet", str(place), before]
        subprocess.run(add, cwd=HERE, check=True)
        try:
            yield {"before": place, "now": HERE}
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(place)], cwd=HERE, check=False
            )


if __name__ == "__main__":
    main()
