"""``python -m demo_stack``."""

from __future__ import annotations

from demo_stack.cli import main

if __name__ == "__main__":
    main()
