"""What a runbook is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from anomaly.findings import FindingKind


class StepKind(StrEnum):
    """Who or what carries a step out.

    ``MANUAL`` is read and done by a person; ``QUERY`` is an expression to look at; ``COMMAND`` is
    shown to be copied; ``APPROVAL`` changes production and needs somebody's consent first.
    """

    MANUAL = "manual"
    QUERY = "query"
    COMMAND = "command"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. ``query`` is a stack-language expression; ``command`` is for a shell."""

    id: str
    title: str
    kind: StepKind
    detail: str
    query: str = ""
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """What a runbook applies to; every part that is given must hold.

    Attributes:
        rule: Pattern for the finding's rule, with ``*`` as in file names; empty matches all.
        kinds: Finding kinds; empty matches all.
        scope: Patterns for scope values by key.
        words: At least one of these stands in the finding's title or expression; empty matches.
        lost_share: The observed value is below its baseline by at least this share; 0 matches all.
    """

    rule: str = ""
    kinds: frozenset[FindingKind] = frozenset()
    scope: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    lost_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A document with its steps in order."""

    name: str
    title: str
    applies_to: tuple[Matcher, ...]
    steps: tuple[Step, ...]
    summary: str = ""
    file: str = field(default="", compare=False)
