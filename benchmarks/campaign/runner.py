"""``scripts/campaign NAME --commands N --seed S``."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.campaign import incidents

_CAMPAIGNS = {"incidents": incidents.run}


def main(arguments: list[str] | None = None) -> int:
    """Run a campaign; 0 when no illegal state was reached, else 1."""
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("name", choices=sorted(_CAMPAIGNS))
    parser.add_argument("--commands", type=int, default=500_000, help="at least so many")
    parser.add_argument("--seed", type=int, default=1, help="gives the same commands again")
    asked = parser.parse_args(arguments)
    began_s = time.monotonic()
    try:
        counted = _CAMPAIGNS[asked.name](asked.commands, asked.seed, print)
    except incidents.IllegalStateError as error:
        print(f"ILLEGAL: {error}", file=sys.stderr)
        return 1
    refused = counted.pop("refused", 0)
    given = sum(counted.values())
    for name, count in counted.most_common():
        print(f"{count:>10,}  {name}")
    took_s = time.monotonic() - began_s
    print(f"{given:,} commands, {refused:,} refused, no illegal state, {took_s:.0f} s")
    return 0
