"""Reading runbooks from YAML, with file, line and field in every complaint."""

from __future__ import annotations

from pathlib import Path

from collectors.documents.reading import Mistakes, files_of, load_section
from collectors.documents.section import PLAIN, Context
from runbooks.automation.runbook import (
    Expectation,
    Input,
    Matcher,
    OnFailure,
    Request,
    Runbook,
    Step,
    Suppression,
    When,
)
from runbooks.automation.shapes import (
    ActShape,
    MatcherShape,
    RollbackShape,
    RunbookFile,
    StepShape,
    SuppressionShape,
    WhenShape,
    comparison,
)

BUILT_IN = Path(__file__).parent.parent / "library"
ROLLBACK = "/rollback"
"""What the id of a step's rollback ends with."""


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
        inputs=tuple(
            Input(name=name, pattern=told.pattern, default=told.default)
            for name, told in shape.inputs.items()
        ),
        diagnose=tuple(_step(step) for step in shape.diagnose),
        suppress=_suppression(shape.suppress_page_when),
        on_open=shape.trigger == "on_open",
        file=str(path),
        is_built_in=path.parent == BUILT_IN,
        places={step.id: step.place for step in (*shape.diagnose, *shape.steps)},
    )


def _suppression(shape: SuppressionShape | None) -> Suppression | None:
    if shape is None:
        return None
    return Suppression(
        step=shape.step, ended=shape.ended, reason=shape.reason, at_most_ms=shape.at_most
    )


def _step(shape: StepShape) -> Step:
    return Step(
        id=shape.id,
        title=shape.title,
        kind=shape.kind,
        detail=shape.detail,
        query=shape.query,
        unit=shape.unit,
        command=shape.command,
        run=shape.run or "",
        arguments=tuple(shape.arguments.items()),
        request=_request(shape),
        expect=_expectation(shape),
        when=_when(shape.when) if shape.when else None,
        parallel=shape.parallel or "",
        timeout_ms=shape.timeout,
        on_failure=OnFailure(shape.on_failure),
        rollback=_rollback(shape.id, shape.rollback) if shape.rollback else None,
        safe=shape.safe,
        two_persons=shape.two_persons,
    )


def _rollback(step_id: str, back: RollbackShape) -> Step:
    return Step(
        id=f"{step_id}{ROLLBACK}",
        title=back.title,
        kind=back.kind,
        run=back.run or "",
        arguments=tuple(back.arguments.items()),
        request=_request(back),
        timeout_ms=back.timeout,
        # Whoever approved the step has approved that it is taken back.
        safe=True,
    )


def _request(shape: ActShape) -> Request | None:
    if not shape.host:
        return None
    return Request(
        host=shape.host,
        method=shape.method,
        path=shape.path or "/",
        headers=tuple(shape.headers.items()),
        body=shape.body,
        statuses=shape.statuses,
    )


def _expectation(shape: StepShape) -> Expectation | None:
    if not shape.expect:
        return None
    operator, value = comparison(shape.expect)
    return Expectation(operator=operator, value=value, over_ms=shape.over, figure=shape.figure)


def _when(shape: WhenShape) -> When:
    if not shape.expect:
        return When(step=shape.step or "", ended=shape.ended)
    operator, value = comparison(shape.expect)
    return When(query=shape.query or "", expect=Expectation(operator=operator, value=value))


def _matcher(shape: MatcherShape) -> Matcher:
    return Matcher(
        rule=shape.rule,
        kinds=frozenset(shape.kind),
        scope=tuple(shape.scope.items()),
        words=shape.words,
        lost_share=float(shape.lost_share),
        change=shape.change,
    )
