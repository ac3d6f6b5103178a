"""What an answer lacks, said by whoever found it missing and told by whoever answers.

A question to several nodes may go unanswered by some. Whatever evaluates the expression goes on
with what there is; the note reaches the answer past all of it, as a budget reaches the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_notes: ContextVar[list[str] | None] = ContextVar("missing", default=None)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Collect what is found missing in this thread; each sentence once."""
    notes: list[str] = []
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def found_missing() -> tuple[str, ...]:
    """Return what was found missing so far for this thread's answer."""
    return tuple(_notes.get() or ())


def note_missing(sentence: str) -> None:
    """Say what an answer will lack; where nobody collects, nothing happens."""
    notes = _notes.get()
    if notes is not None and sentence not in notes:
        notes.append(sentence)
