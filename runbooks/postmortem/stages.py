"""How far a post-mortem is, and what may follow. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from collectors.errors import ConflictError


class Stage(StrEnum):
    """Draft, looked at by others, agreed on, shown to everybody."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    REVIEWED = "reviewed"
    PUBLISHED = "published"

    @property
    def words(self) -> str:
        """As people say it."""
        return self.value.replace("_", " ")


NEXT: Mapping[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.IN_REVIEW}),
    Stage.IN_REVIEW: frozenset({Stage.DRAFT, Stage.REVIEWED}),
    Stage.REVIEWED: frozenset({Stage.DRAFT, Stage.PUBLISHED}),
    Stage.PUBLISHED: frozenset({Stage.DRAFT}),
}
"""From each stage to those that may follow; back to a draft it goes from anywhere."""

SETTLED = frozenset({Stage.REVIEWED, Stage.PUBLISHED})
"""What people have agreed on: nobody changes it without taking it back to a draft."""


def moved(stage: Stage, to: Stage, blanks: Collection[str]) -> Stage:
    """Return ``to`` if it may follow.

    Args:
        stage: Where it is.
        to: Where it shall go.
        blanks: What still waits for people.

    Raises:
        ConflictError: It may not; the message says why and names the blanks.
    """
    if to not in NEXT[stage]:
        known = " or ".join(sorted(one.words for one in NEXT[stage]))
        raise ConflictError(
            f"a post-mortem that is {stage.words} can become {known}; not {to.words}"
        )
    if to in SETTLED and blanks:
        waiting = "; ".join(blanks)
        raise ConflictError(f"it can't be {to.words} while blanks remain: {waiting}")
    return to


def editable(stage: Stage) -> None:
    """Refuse to change what people have agreed on.

    Raises:
        ConflictError: It is reviewed or published.
    """
    if stage in SETTLED:
        raise ConflictError(
            f"the post-mortem is {stage.words}; take it back to a draft before changing it"
        )
