"""``python -m demo_stack``."""

from __future__ import annotations


def run() -> None:
    """Run the command line; an interrupt while it is still being loaded needs no traceback."""
    try:
        from demo_stack.cli import main

        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    run()
