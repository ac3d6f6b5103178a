"""Reading runbooks from YAML, with file, line and field in every complaint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from anomaly.findings import FindingKind
from runbooks.automation.runbook import Matcher, Runbook, Step, StepKind
from runbooks.documents import Document, load_document

BUILT_IN = Path(__file__).parent.parent / "library"
MAX_STEPS = 50
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def load_library(*directories: Path) -> tuple[Runbook, ...]:
    """Read every ``*.yaml`` of ``directories``; a later one replaces an earlier of the same name.

    Directories that don't exist are passed over.

    Raises:
        DocumentError: With file, line and field.
    """
    found: dict[str, Runbook] = {}
    for directory in directories:
        for path in sorted(directory.glob("*.yaml")) if directory.is_dir() else ():
            runbook = load_runbook(path)
            found[runbook.name] = runbook
    return tuple(found.values())


def load_runbook(path: Path) -> Runbook:
    """Read one runbook.

    Raises:
        DocumentError: With file, line and field.
    """
    document = load_document(path)
    document.only("name", "title", "summary", "applies_to", "steps")
    name = document.text("name")
    if not _NAME.fullmatch(name):
        raise document.error(f"{name!r} must be lower-case words joined by dashes", "name")
    steps = tuple(_step(d) for d in document.child("steps").items())
    if not 1 <= len(steps) <= MAX_STEPS:
        raise document.error(f"{len(steps)} steps; must be 1 to {MAX_STEPS}", "steps")
    _unique((step.id for step in steps), document)
    matchers = tuple(_matcher(d) for d in document.child("applies_to").items())
    if not matchers:
        raise document.error("names nothing that it applies to", "applies_to")
    return Runbook(
        name=name,
        title=document.text("title"),
        summary=document.text("summary", ""),
        applies_to=matchers,
        steps=steps,
        file=str(path),
    )


def _step(document: Document) -> Step:
    document.only("id", "title", "kind", "detail", "query", "command")
    kind = StepKind(document.choice("kind", StepKind))
    step_id = document.text("id")
    if not _NAME.fullmatch(step_id):
        raise document.error(f"{step_id!r} must be lower-case words joined by dashes", "id")
    if kind is StepKind.QUERY and not document.has("query"):
        raise document.error("a step of kind query needs a query", "query")
    if kind is StepKind.COMMAND and not document.has("command"):
        raise document.error("a step of kind command needs a command", "command")
    return Step(
        id=step_id,
        title=document.text("title"),
        kind=kind,
        detail=document.text("detail", ""),
        query=document.text("query", ""),
        command=document.text("command", ""),
    )


def _matcher(document: Document) -> Matcher:
    document.only("rule", "kind", "scope", "words", "lost_share")
    if not document.names():
        raise document.error(
            "is empty and would match everything; name a rule, kind, scope or word"
        )
    kinds = document.choices("kind", FindingKind) if document.has("kind") else []
    scope: tuple[tuple[str, str], ...] = ()
    if document.has("scope"):
        patterns = document.child("scope")
        scope = tuple((key, patterns.text(key)) for key in patterns.names())
    return Matcher(
        rule=document.text("rule", ""),
        kinds=frozenset(FindingKind(kind) for kind in kinds),
        scope=scope,
        words=tuple(document.texts("words")) if document.has("words") else (),
        lost_share=_share(document, "lost_share"),
    )


def _share(document: Document, name: str) -> float:
    if not document.has(name):
        return 0.0
    share = document.number(name)
    if not 0 < share <= 1:
        raise document.error(f"{share} must be above 0 and at most 1", name)
    return share


def _unique(ids: Iterable[str], document: Document) -> None:
    seen: set[str] = set()
    for step_id in ids:
        if step_id in seen:
            raise document.error(f"two steps have the id {step_id!r}", "steps")
        seen.add(step_id)
