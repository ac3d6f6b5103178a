"""Shapes of a runbook's document: what its fields may say, and what contradicts itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator

from anomaly.findings import FindingKind
from collectors.documents.section import Context, Section, WrongValueError
from collectors.documents.values import (
    Count,
    DurationMs,
    Flag,
    Number,
    OneOrMore,
    Text,
    Words,
    at_least_one,
    checked_expression,
    matching,
    one_of,
)
from collectors.errors import DocumentError
from runbooks.automation.runbook import (
    DIAGNOSING,
    MINUTE_MS,
    READING_METHODS,
    Figure,
    OnFailure,
    StepKind,
)
from runbooks.automation.variables import checkable

MAX_STEPS = 50
MAX_TIMEOUT_MS = 3_600_000
"""Longest that a step may take."""

MAX_SUPPRESSION_MS = 4 * 3_600_000
"""Longest that a page may be held back."""

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_EXPECT = re.compile(r"\s*(<=|>=|==|!=|<|>)\s*([-+]?[0-9.]+(?:e[-+]?[0-9]{1,2})?)\s*")

Name = Annotated[Words, matching(r"[a-z0-9]+(-[a-z0-9]+)*", "lower-case words joined by dashes")]
_VARIABLE = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
Kinds = Annotated[tuple[Annotated[FindingKind, one_of(tuple(FindingKind))], ...], OneOrMore]
Expression = Annotated[Words, checked_expression(checkable)]


def comparison(text: str) -> tuple[str, float]:
    """Return operator and number of a comparison such as ``< 0.01``.

    Raises:
        WrongValueError: It is none.
    """
    found = _EXPECT.fullmatch(text)
    try:
        return (found[1], float(found[2])) if found else _no_comparison()
    except ValueError:
        return _no_comparison()


def _no_comparison() -> tuple[str, float]:
    raise WrongValueError('a comparison such as "< 0.01"')


def _compared(text: str) -> str:
    comparison(text)
    return text.strip()


def named_wrongly(section: Section, field: str, given: Iterable[str]) -> Iterator[DocumentError]:
    """Yield the keys of a mapping that are no names."""
    for name in given:
        if not _VARIABLE.fullmatch(name):
            yield section.at(field, name).error("is no name in lower case such as region")


Comparison = Annotated[Words, AfterValidator(_compared)]


def pattern(text: str) -> str:
    """Return a regular expression that can be compiled."""
    try:
        re.compile(text)
    except re.error as error:
        raise WrongValueError("a regular expression", str(error)) from error
    return text


Pattern = Annotated[Words, AfterValidator(pattern)]


def _body(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise WrongValueError("JSON, its variables within quotes", str(error)) from error
    return text


def _share(number: Fraction) -> Fraction:
    if not 0 < number <= 1:
        raise WrongValueError("above 0 and at most 1")
    return number


def _bounded(most_ms: int, words: str) -> AfterValidator:
    def check(length_ms: int) -> int:
        if length_ms > most_ms:
            raise WrongValueError(f"at most {words}")
        return length_ms

    return AfterValidator(check)


class ActShape(Section):
    """What acts on something outside: a request, or a command of the allow-list."""

    host: Name | None = None
    """For `http`: a host of `automation.yaml`."""
    method: Annotated[str, one_of(METHODS)] = "GET"
    """For `http`: GET and HEAD read, the others change something."""
    path: Annotated[Words, matching(r"/\S*", "a path such as /status")] | None = None
    """For `http`: path and query below the host; values are percent-encoded."""
    headers: dict[str, Words] = {}
    """For `http`: headers; `{secret.NAME}` stands for a secret of `automation.yaml`."""
    body: Annotated[Words, AfterValidator(_body)] = ""
    """For `http`: JSON; variables stand within its texts."""
    statuses: Annotated[tuple[Count, ...], OneOrMore] = ()
    """For `http`: answers that are a success; all of 200 to 299 by default."""
    run: Name | None = None
    """For `command`: a command of `automation.yaml`, which the server runs."""
    arguments: dict[str, Text] = {}
    """For `command`: its parameters."""

    def act_mistakes(self, kind: StepKind) -> Iterator[DocumentError]:
        """Yield what a request or a command lacks."""
        if kind is StepKind.HTTP:
            for name, given in (("host", self.host), ("path", self.path)):
                if not given:
                    yield self.at(name).error(f"a step of kind http needs a {name}")


class RollbackShape(ActShape):
    """What takes a step back."""

    title: Words
    """What it does, in a line."""
    kind: Annotated[StepKind, one_of((StepKind.HTTP, StepKind.COMMAND))]
    """`http` or `command`."""
    timeout: Annotated[DurationMs, _bounded(MAX_TIMEOUT_MS, "1h")] = 30_000
    """Longest that it may take."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what it lacks."""
        del context
        yield from self.act_mistakes(self.kind)
        if self.kind is StepKind.COMMAND and not self.run:
            yield self.at("run").error("a rollback of kind command needs run")


class WhenShape(Section):
    """Whether a step is done at all."""

    step: Name | None = None
    """An earlier step,"""
    ended: Annotated[str, one_of(("succeeded", "failed", "skipped"))] = "succeeded"
    """and how it ended; a failed one lets the run go on only with `on_failure: continue`."""
    query: Expression | None = None
    """Or an expression,"""
    expect: Comparison | None = None
    """and what its last value must be."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that neither or both are given."""
        del context
        if bool(self.step) == bool(self.query):
            yield self.place.error("needs either step or query")
        elif self.query and not self.expect:
            yield self.at("expect").error("a query needs expect, such as > 0")


class StepShape(ActShape):
    """A step of a runbook."""

    id: Name
    """Lower-case words joined by dashes; each only once."""
    title: Words
    """What to do, in a line."""
    kind: Annotated[StepKind, one_of(tuple(StepKind))]
    """`manual` is done by a person, `approval` waits for consent, `query` is looked at, `check`
    must hold, `wait_until` waits until it holds, `http` asks a host and `command` runs a program
    of the allow-list (or is a line for a person's shell), `suspects` names services that the
    traces accuse, `changes` what was changed before, `differs` which lines moved most."""
    detail: Words = ""
    """More about it."""
    query: Expression = ""
    """For `query`, `check`, `wait_until` and `differs`: an expression in the stack language."""
    unit: Words = ""
    """Of the expression's values: `ratio`, `s`, `1/s`; that of the finding by itself where the
    expression is the finding's."""
    command: Words = ""
    """For `command` without `run`: a line for a person's shell."""
    expect: Comparison | None = None
    """What the value must be, such as `< 0.01`: of every line of the expression."""
    over: Annotated[DurationMs, _bounded(24 * 60 * MINUTE_MS, "1d")] = 2 * MINUTE_MS
    """How far back it looks for values."""
    figure: Annotated[Figure, one_of(tuple(Figure))] = Figure.LAST
    """Which figure of these is compared."""
    when: WhenShape | None = None
    """Whether it is done at all."""
    parallel: Name | None = None
    """Steps in a row with the same name run at the same time."""
    timeout: Annotated[DurationMs, _bounded(MAX_TIMEOUT_MS, "1h")] = 30_000
    """Longest that it may take."""
    on_failure: Annotated[OnFailure, one_of(tuple(OnFailure))] = OnFailure.STOP
    """`roll_back` takes back what was done, the last first."""
    rollback: RollbackShape | None = None
    """What takes it back."""
    safe: Flag = False
    """May run without an approval, also by itself."""
    two_persons: Flag = False
    """Whoever asked for the run may not approve it."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what a step of this kind lacks."""
        del context
        yield from self.act_mistakes(self.kind)
        if self.kind in _NEED_QUERY and not self.query:
            yield self.at("query").error(f"a step of kind {self.kind} needs a query")
        if self.kind in _NEED_EXPECT and not self.expect:
            yield self.at("expect").error(f"a step of kind {self.kind} needs expect, such as < 1")
        if self.kind is StepKind.COMMAND and bool(self.command) == bool(self.run):
            message = "a step of kind command needs a command for a shell, or run"
            yield self.at("command").error(message)
        if self.rollback and self.kind not in {StepKind.HTTP, StepKind.COMMAND}:
            yield self.at("rollback").error(f"a step of kind {self.kind} has nothing to take back")

    def reads(self) -> bool:
        """Whether it may run before anybody is asked, as far as the document tells."""
        return self.kind in DIAGNOSING and self.method in READING_METHODS


_NEED_EXPECT = frozenset({StepKind.CHECK, StepKind.WAIT_UNTIL})
_NEED_QUERY = frozenset({StepKind.QUERY, StepKind.DIFFERS, *_NEED_EXPECT})


class MatcherShape(Section):
    """What a runbook applies to: all that is given must hold."""

    rule: Words = ""
    """Pattern for the finding's rule, with `*` as in file names."""
    kind: Kinds = ()
    """Kinds of findings, one or a list."""
    scope: dict[str, Words] = {}
    """Patterns for the values of the finding's scope."""
    words: Annotated[tuple[Words, ...], OneOrMore] = ()
    """One of them stands in the finding's title or expression."""
    lost_share: Annotated[Number, AfterValidator(_share)] = Fraction(0)
    """The value lies below what is usual by at least this share, up to 1."""
    change: Annotated[tuple[Words, ...], OneOrMore] = ()
    """A change of one of these kinds, with `*` as in file names, is suspect."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield that nothing is given."""
        del context
        if not self.names():
            yield self.place.error(
                "is empty and would match everything; name a rule, kind, scope or word"
            )


class InputShape(Section):
    """Something that is said when a run begins."""

    pattern: Pattern = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}"
    """Regular expression that the whole value must match."""
    default: Text = ""
    """Without one it must be said; may name values of the incident, such as `{cloud.region}`."""


class SuppressionShape(Section):
    """When the first page is held back."""

    step: Name
    """A diagnosing step of kind `check`,"""
    ended: Annotated[str, one_of(("succeeded", "failed"))] = "succeeded"
    """and how it ends: what could not be measured holds nothing back."""
    reason: Words
    """Why that means that nobody need be woken."""
    at_most: Annotated[DurationMs, _bounded(MAX_SUPPRESSION_MS, "4h")] = 30 * MINUTE_MS
    """After so long it rings whatever the check says."""


class RunbookFile(Section):
    """`runbooks/*.yaml`: what to do, proposed to whoever handles an incident that it applies to."""

    name: Name
    """Lower-case words joined by dashes; replaces a built-in runbook of this name."""
    title: Words
    """What it is about, in a line."""
    summary: Words = ""
    """When it helps."""
    applies_to: Annotated[
        tuple[MatcherShape, ...], at_least_one("names nothing that it applies to")
    ]
    """Findings that it is proposed for: those that match one of these."""
    trigger: Annotated[str, one_of(("by_hand", "on_open"))] = "by_hand"
    """`on_open`: a run begins by itself when an incident opens that it is proposed for; steps that
    change something and are not `safe` wait for an approval."""
    inputs: dict[str, InputShape] = {}
    """What is said when a run begins."""
    diagnose: tuple[StepShape, ...] = ()
    """Steps that only read, done when an incident opens: their results are in its message."""
    suppress_page_when: SuppressionShape | None = None
    """When the first page is held back."""
    steps: Annotated[tuple[StepShape, ...], at_least_one(f"0 steps; must be 1 to {MAX_STEPS}")]
    """What to do, in order."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield too many steps, ids that are taken, and steps that stand where they may not."""
        del context
        for name, steps in (("steps", self.steps), ("diagnose", self.diagnose)):
            if len(steps) > MAX_STEPS:
                yield self.at(name).error(f"{len(steps)} steps; must be 1 to {MAX_STEPS}")
            seen: set[str] = set()
            for index, step in enumerate(steps):
                if step.id in seen:
                    yield self.at(name, index, "id").error(f"two steps have the id {step.id!r}")
                if step.when and step.when.step and step.when.step not in seen:
                    yield step.when.at("step").error(f"no earlier step is {step.when.step!r}")
                seen.add(step.id)
        yield from named_wrongly(self, "inputs", self.inputs)
        yield from self._diagnosis_mistakes()

    def _diagnosis_mistakes(self) -> Iterator[DocumentError]:
        for step in self.diagnose:
            if not step.reads():
                known = ", ".join(sorted(DIAGNOSING))
                message = f"may only read: {known}; http with GET or HEAD"
                yield step.at("kind").error(message)
        held = self.suppress_page_when
        checks = {step.id for step in self.diagnose if step.kind is StepKind.CHECK}
        if held and held.step not in checks:
            message = f"no diagnosing step of kind check is {held.step!r}"
            yield held.at("step").error(message)
