"""Whether a node speaks to people: with the lead; without the database, if nobody else does. Pure.

While PostgreSQL can't be reached nobody can hold a lease for long, and an outage of the database is
the worst moment for both to be silent. A page that rings twice is better than none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a node says of itself when another asks it.

    Attributes:
        node: Its name.
        leads: Whether it has the lead now.
        agrees: Whether it reaches the database.
        last_holder: Whom it knows as the last who had the lead; empty: nobody.
    """

    node: str
    leads: bool
    agrees: bool
    last_holder: str = ""


def speaks(own: Word, other: Word | None) -> bool:
    """Return whether a node passes its findings on.

    Args:
        own: What it knows.
        other: What the other node says when asked; None: it does not answer, or was not asked.

    >>> away = Word(node="a", leads=False, agrees=False, last_holder="a")
    >>> speaks(away, None), speaks(away, Word(node="b", leads=True, agrees=True))
    (True, False)
    """
    if own.leads:
        return True
    if own.agrees:
        return False
    if other is None:
        return True
    if other.leads or other.agrees:  # it has the lead, or will within the length of a lease
        return False
    # Neither reaches the database: whoever led last, if both know the same, else the first by name.
    if own.last_holder == other.last_holder and own.last_holder in (own.node, other.node):
        return own.last_holder == own.node
    return own.node < other.node
