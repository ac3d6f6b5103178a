"""``scripts/attack``: plays attacks on a real server on loopback and says what held."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import orjson

from tests.attack.attack import Report, every_attack, play_alone


def main() -> int:
    """Play the attacks that are named, or all; 1 if something did not hold."""
    known = every_attack()
    parser = argparse.ArgumentParser(prog="scripts/attack", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--full", action="store_true", help="full size; otherwise seconds each")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--list", action="store_true", help="say what must hold, and play none")
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(known)):
        parser.error(f"no attack is called {', '.join(unknown)}; see --list")
    if given.list:
        for attack in known.values():
            print(f"{attack.name}: {attack.holds}")
        return 0
    status = 0
    for name in given.names or known:
        print(f"attack: {name} ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="tocsin-attack-") as directory:
            report = play_alone(known[name], Path(directory), full=given.full)
        print(orjson.dumps(asdict(report)).decode() if given.json else as_text(report), flush=True)
        status = 1 if report.broken else status
    return status


def as_text(report: Report) -> str:
    """Return a report for people."""
    verdict = "BROKEN" if report.broken else "held"
    figures = ", ".join(f"{name} {value:.3g}" for name, value in report.figures.items())
    lines = [f"{verdict}: {report.name} ({report.took_s:.1f} s): {report.holds}", f"  {figures}"]
    lines += [f"  NOT HELD: {claim.text}: {claim.seen}" for claim in report.broken]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
