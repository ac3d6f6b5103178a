"""Errors of the language, named as Atlas names them in its answers."""

from __future__ import annotations

from collectors.errors import QueryError


def illegal_argument(message: str) -> QueryError:
    """Return an error for a value that is not acceptable."""
    return QueryError(message, kind="IllegalArgumentException")


def illegal_state(message: str) -> QueryError:
    """Return an error for a program that can't continue."""
    return QueryError(message, kind="IllegalStateException")


def require(condition: bool, message: str) -> None:
    """Raise an ``IllegalArgumentException`` with Atlas's prefix unless ``condition`` holds."""
    if not condition:
        raise illegal_argument(f"requirement failed: {message}")
