"""What an answer lacks, said by whoever found it missing and told by whoever answers.

A question to several nodes may go unanswered by some. Whatever evaluates the expression goes on
with what there is; the note reaches the answer past all of it, as a budget reaches the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_notes: ContextVar[list[str] | None] = ContextVar("missing", default=None)
_doubts: ContextVar[bool] = ContextVar("doubts", default=True)


@contextmanager
def noting(*, doubts: bool = True) -> Iterator[list[str]]:
    """Collect what is found missing in this thread; each sentence once.

    Args:
        doubts: Whether what may be missing counts as well.
    """
    notes: list[str] = []
    tokens = _notes.set(notes), _doubts.set(doubts)
    try:
        yield notes
    finally:
        _notes.reset(tokens[0])
        _doubts.reset(tokens[1])


def found_missing() -> tuple[str, ...]:
    """Return what was found missing so far for this thread's answer."""
    return tuple(_notes.get() or ())


def note_missing(sentence: str) -> None:
    """Say what an answer will lack; where nobody collects, nothing happens."""
    notes = _notes.get()
    if notes is not None and sentence not in notes:
        notes.append(sentence)


def note_doubt(sentence: str) -> None:
    """Say what an answer may lack, where that counts."""
    if _doubts.get():
        note_missing(sentence)
