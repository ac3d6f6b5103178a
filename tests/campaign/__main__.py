"""``scripts/campaign pages|shards``: play a campaign and say what came of it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, fields
from pathlib import Path

from tests.campaign import shards
from tests.campaign.pages import Plan, play


def main() -> int:
    """Return 0 if nothing was lost or doubled."""
    if sys.argv[1:2] == ["shards"]:
        return shards.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="scripts/campaign", description=__doc__)
    parser.add_argument("campaign", choices=["pages", "shards"])
    for one in fields(Plan):
        if one.name != "between_s":
            name = f"--{one.name.replace('_', '-').removesuffix('-s')}"
            parser.add_argument(name, dest=one.name, type=type(one.default), default=one.default)
    parser.add_argument("--json", action="store_true")
    chosen = vars(parser.parse_args())
    as_json, _ = chosen.pop("json"), chosen.pop("campaign")
    with tempfile.TemporaryDirectory(prefix="campaign-") as directory:
        outcome = play(Plan(**chosen), Path(directory))
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        print(
            f"{outcome.kills} kills, {outcome.faults} faults, {outcome.messages} messages "
            f"in {outcome.took_s:.0f} s"
        )
        print("\n".join(outcome.mistakes) or "nothing lost, nothing doubled, all in order")
    return 1 if outcome.mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
