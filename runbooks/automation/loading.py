"""Reading runbooks from YAML, with file, line and field in every complaint."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from anomaly.findings import FindingKind
from collectors.documents.reading import Mistakes, files_of, load_section
from collectors.documents.section import PLAIN, Context, Section, WrongValueError
from collectors.documents.values import (
    Number,
    OneOrMore,
    Words,
    at_least_one,
    checked_expression,
    matching,
    one_of,
)
from collectors.errors import DocumentError
from runbooks.automation.runbook import Matcher, Runbook, Step, StepKind

BUILT_IN = Path(__file__).parent.parent / "library"
MAX_STEPS = 50

_Name = Annotated[Words, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by dashes")]
_Kinds = Annotated[tuple[Annotated[FindingKind, one_of(tuple(FindingKind))], ...], OneOrMore]


def _share(number: Fraction) -> Fraction:
    if not 0 < number <= 1:
        raise WrongValueError("above 0 and at most 1")
    return number


class StepShape(Section):
    """A step of a runbook."""

    id: _Name
    """Lower-case words joined by dashes; each only once."""
    title: Words
    """What to do, in a line."""
    kind: Annotated[StepKind, one_of(tuple(StepKind))]
    """`manual` is done by a person, `query` is looked at, `command` is copied into a shell,
    `approval` changes production and needs consent."""
    detail: Words = ""
    """More about it."""
    query: Annotated[Words, checked_expression()] = ""
    """For `query`: an expression in the stack language."""
    command: Words = ""
    """For `command`: a line for a shell."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what a step of this kind lacks."""
        del context
        for kind, given in ((StepKind.QUERY, self.query), (StepKind.COMMAND, self.command)):
            if self.kind is kind and not given:
                yield self.at(kind).error(f"a step of kind {kind} needs a {kind}")


class MatcherShape(Section):
    """What a runbook applies to: all that is given must hold."""

    rule: Words = ""
    """Pattern for the finding's rule, with `*` as in file names."""
    kind: _Kinds = ()
    """Kinds of findings, one or a list."""
    scope: dict[str, Words] = {}
    """Patterns for the values of the finding's scope."""
    words: Annotated[tuple[Words, ...], OneOrMore] = ()
    """One of them stands in the finding's title or expression."""
    lost_share: Annotated[Number, AfterValidator(_share)] = Fraction(0)
    """The value lies below what is usual by at least this share, up to 1."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that nothing is given."""
        del context
        if not self.names():
            yield self.place.error(
                "is empty and would match everything; name a rule, kind, scope or word"
            )


class RunbookFile(Section):
    """`runbooks/*.yaml`: what to do, proposed to whoever handles an incident that it applies to."""

    name: _Name
    """Lower-case words joined by dashes; replaces a built-in runbook of this name."""
    title: Words
    """What it is about, in a line."""
    summary: Words = ""
    """When it helps."""
    applies_to: Annotated[
        tuple[MatcherShape, ...], at_least_one("names nothing that it applies to")
    ]
    """Findings that it is proposed for: those that match one of these."""
    steps: Annotated[tuple[StepShape, ...], at_least_one(f"0 steps; must be 1 to {MAX_STEPS}")]
    """What to do, in order."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield too many steps, and those whose id is taken."""
        del context
        if len(self.steps) > MAX_STEPS:
            yield self.at("steps").error(f"{len(self.steps)} steps; must be 1 to {MAX_STEPS}")
        seen: set[str] = set()
        for index, step in enumerate(self.steps):
            if step.id in seen:
                yield self.at("steps", index, "id").error(f"two steps have the id {step.id!r}")
            seen.add(step.id)


def load_library(*directories: Path, context: Context = PLAIN) -> tuple[Runbook, ...]:
    """Read every runbook of ``directories``; a later one replaces an earlier of the same name.

    Directories that don't exist are passed over.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    found: dict[str, Runbook] = {}
    for directory in directories:
        for path in files_of(directory):
            with mistakes.kept():
                runbook = load_runbook(path, context)
                found[runbook.name] = runbook
    mistakes.raise_any()
    return tuple(found.values())


def load_runbook(path: Path, context: Context = PLAIN) -> Runbook:
    """Read one runbook.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, RunbookFile, context)
    return Runbook(
        name=shape.name,
        title=shape.title,
        summary=shape.summary,
        applies_to=tuple(_matcher(matcher) for matcher in shape.applies_to),
        steps=tuple(_step(step) for step in shape.steps),
        file=str(path),
    )


def _step(shape: StepShape) -> Step:
    return Step(
        id=shape.id,
        title=shape.title,
        kind=shape.kind,
        detail=shape.detail,
        query=shape.query,
        command=shape.command,
    )


def _matcher(shape: MatcherShape) -> Matcher:
    return Matcher(
        rule=shape.rule,
        kinds=frozenset(shape.kind),
        scope=tuple(shape.scope.items()),
        words=shape.words,
        lost_share=float(shape.lost_share),
    )
