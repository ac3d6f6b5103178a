"""What a runbook is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from anomaly.findings import FindingKind
from collectors.documents.nodes import Place

MINUTE_MS = 60_000


class StepKind(StrEnum):
    """Who or what carries a step out.

    ``MANUAL`` is read and done by a person; ``APPROVAL`` waits for somebody's consent; ``COMMAND``
    is a line for a person's shell, or a program of the allow-list that the server runs; ``HTTP`` is
    a request to a host of the allow-list. The others read: ``QUERY`` an expression, ``CHECK`` one
    that must hold, ``WAIT_UNTIL`` until it holds, ``SUSPECTS`` which services the traces accuse,
    ``CHANGES`` what was changed before, ``DIFFERS`` which lines have moved most since the onset.
    """

    MANUAL = "manual"
    QUERY = "query"
    COMMAND = "command"
    APPROVAL = "approval"
    CHECK = "check"
    HTTP = "http"
    WAIT_UNTIL = "wait_until"
    SUSPECTS = "suspects"
    CHANGES = "changes"
    DIFFERS = "differs"


ASKING = frozenset({StepKind.QUERY, StepKind.CHECK, StepKind.WAIT_UNTIL, StepKind.DIFFERS})
"""Kinds that evaluate an expression."""

DIAGNOSING = frozenset(
    {
        StepKind.QUERY,
        StepKind.CHECK,
        StepKind.HTTP,
        StepKind.SUSPECTS,
        StepKind.CHANGES,
        StepKind.DIFFERS,
    }
)
"""Kinds that may run before anybody is asked, as long as they change nothing."""

READING_METHODS = frozenset({"GET", "HEAD"})


class OnFailure(StrEnum):
    """What follows a step that failed."""

    STOP = "stop"
    CONTINUE = "continue"
    ROLL_BACK = "roll_back"


class Figure(StrEnum):
    """Which figure of a line is compared."""

    LAST = "last"
    MEAN = "mean"
    LEAST = "min"
    MOST = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a value must be: ``figure`` of the last ``over_ms`` compared with ``value``."""

    operator: str
    value: float
    over_ms: int = 2 * MINUTE_MS
    figure: Figure = Figure.LAST

    @property
    def words(self) -> str:
        """As it is written, such as ``< 0.01``."""
        return f"{self.operator} {self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request to a host of the allow-list; ``body`` is JSON as text, or empty."""

    host: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Whether a step is done at all: how an earlier one ended, or what an expression gives.

    Attributes:
        step: Id of an earlier step; empty: ``query`` is asked.
        ended: ``succeeded``, ``failed`` or ``skipped``.
        query: An expression.
        expect: What it must be.
    """

    step: str = ""
    ended: str = ""
    query: str = ""
    expect: Expectation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        query: An expression in the stack language.
        unit: Of the expression's values; empty: none is known.
        command: A line for a person's shell.
        run: Name of a command of the allow-list, with its ``arguments``.
        request: Of an ``HTTP`` step.
        expect: What the expression must be.
        when: Whether it is done at all; None: always.
        parallel: Steps in a row with the same name run at the same time.
        timeout_ms: Longest that it may take.
        on_failure: What follows if it fails.
        rollback: What takes it back, of kind ``HTTP`` or ``COMMAND``.
        safe: Its owner says that it may run without an approval.
        two_persons: Whoever asked for the run may not approve it.
        changes: Whether it changes something; known once the allow-list is.
    """

    id: str
    title: str
    kind: StepKind
    detail: str = ""
    query: str = ""
    unit: str = ""
    command: str = ""
    run: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    request: Request | None = None
    expect: Expectation | None = None
    when: When | None = None
    parallel: str = ""
    timeout_ms: int = 30_000
    on_failure: OnFailure = OnFailure.STOP
    rollback: Step | None = None
    safe: bool = False
    two_persons: bool = False
    changes: bool = False

    @property
    def is_personal(self) -> bool:
        """Whether a person does it."""
        if self.kind is StepKind.COMMAND:
            return not self.run
        return self.kind in {StepKind.MANUAL, StepKind.APPROVAL}

    @property
    def needs_approval(self) -> bool:
        """Whether somebody must consent before it runs."""
        return self.changes and not self.safe


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """What a runbook applies to; every part that is given must hold.

    Attributes:
        rule: Pattern for the finding's rule, with ``*`` as in file names; empty matches all.
        kinds: Finding kinds; empty matches all.
        scope: Patterns for scope values by key.
        words: At least one of these stands in the finding's title or expression; empty matches.
        lost_share: The observed value is below its baseline by at least this share; 0 matches all.
        change: Patterns for the kind of a change that is suspect; empty matches all.
    """

    rule: str = ""
    kinds: frozenset[FindingKind] = frozenset()
    scope: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    lost_share: float = 0.0
    change: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something that is said when a run begins; ``default`` may name the incident's values."""

    name: str
    pattern: str
    default: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """When a page is held back: the diagnosing step ``step`` ended as ``ended``.

    Attributes:
        step: Id of a diagnosing check.
        ended: ``succeeded`` or ``failed``.
        reason: Why that means that nobody need be woken; the owner's words.
        at_most_ms: After so long the page rings whatever the check says.
    """

    step: str
    ended: str
    reason: str
    at_most_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A document with its steps in order.

    Attributes:
        inputs: What is said when a run begins.
        diagnose: Steps that read, done when an incident opens.
        suppress: When the first page is held back; None: never.
        on_open: Whether a run begins by itself when an incident opens that it is proposed for.
        places: Where each step stands in its file, by id.
        is_built_in: Whether it came with the product.
    """

    name: str
    title: str
    applies_to: tuple[Matcher, ...]
    steps: tuple[Step, ...]
    summary: str = ""
    inputs: tuple[Input, ...] = ()
    diagnose: tuple[Step, ...] = ()
    suppress: Suppression | None = None
    on_open: bool = False
    file: str = field(default="", compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    is_built_in: bool = field(default=False, compare=False)
