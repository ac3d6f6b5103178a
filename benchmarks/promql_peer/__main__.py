"""``scripts/bench promql-peer``: the differential test with many more expressions than the gate's.

Needs Debian's ``prometheus``. Exit code 1: some expression has other answers; the shortest is told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

_TEST = "tests/collectors/promql/test_prometheus_peer.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="scripts/bench promql-peer", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000, help="generated expressions")
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", _TEST, "-q"],
        env={**os.environ, "TOCSIN_PEER_EXAMPLES": str(options.examples)},
        check=False,
    )
    took_s = time.perf_counter() - begun
    print(f"{options.examples} generated expressions, and all templates: {took_s:.0f} s")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
