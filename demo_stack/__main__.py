"""``python -m demo_stack``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

NEEDED = ("cryptography", "joserfc", "opentelemetry.exporter", "requests", "spectator")
"""What a plain install does not bring along."""


def run() -> None:
    """Run the command line; an interrupt while it is still being loaded needs no traceback."""
    if missing := [name for name in NEEDED if not _is_installed(name)]:
        sys.exit(f"the demo platform needs {', '.join(missing)}: pip install 'tocsin[demo]'")
    try:
        from demo_stack.cli import main

        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package around it
        return False


if __name__ == "__main__":
    run()
