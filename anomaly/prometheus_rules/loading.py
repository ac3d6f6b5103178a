"""Rule files into groups."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from anomaly.prometheus_rules.group import AlertingRule, GroupedRule, RecordingRule, RuleGroup
from anomaly.prometheus_rules.shapes import (
    GroupedRuleShape,
    GroupShape,
    RulesFile,
    RulesResourceFile,
)
from collectors.documents.composing import compose
from collectors.documents.nodes import Node, Place, Table
from collectors.documents.reading import Mistakes, files_of, read_all, text_of, validated
from collectors.documents.section import PLAIN, Context

MAX_RULES = 20_000
"""Rules of all files together."""


def load_groups(directory: Path, context: Context = PLAIN) -> tuple[RuleGroup, ...]:
    """Return the groups of all files in a directory; none if it does not exist.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    groups: list[RuleGroup] = []
    rules = 0
    for path in files_of(directory):
        found = mistakes.attempt(partial(load_file, path, context), ())
        rules += sum(len(group.rules) for group in found)
        groups += found
    if rules > MAX_RULES:
        whole = Place(file=str(directory), line=0)
        mistakes.errors.append(whole.error(f"{rules} rules, limit of {MAX_RULES}"))
    mistakes.raise_any()
    return tuple(groups)


def files_matching(directory: Path, pattern: str) -> list[Path]:
    """Return the files that an entry of ``rule_files`` means, in order; none for no pattern.

    Args:
        directory: Where relative ones begin.
        pattern: The entry.
    """
    given = Path(pattern)
    base = Path(given.anchor) if given.is_absolute() else directory
    parts = given.parts[1:] if given.is_absolute() else given.parts
    try:
        found = sorted(base.glob("/".join(parts))) if parts else []
        return [path for path in found if path.is_file()]
    except (OSError, ValueError):
        return []


def load_file(path: Path, context: Context = PLAIN) -> tuple[RuleGroup, ...]:
    """Return the groups of a file.

    Raises:
        DocumentError: All its mistakes, with file, line and field.
    """
    composed = compose(text_of(path), str(path))
    found = read_all(composed, partial(_document, context=context))
    groups = [_group(path, shape) for document in found for shape in document.groups]
    taken: set[str] = set()
    for shape in (shape for document in found for shape in document.groups):
        if shape.name in taken:
            told = f"the name {shape.name!r} is taken by another group of this file"
            raise shape.place.error(told)
        taken.add(shape.name)
    return tuple(groups)


def _document(node: Node, context: Context) -> RulesFile:
    if isinstance(node, Table) and "kind" in node:
        return validated(node, RulesResourceFile, context).spec
    return validated(node, RulesFile, context)


def _group(path: Path, shape: GroupShape) -> RuleGroup:
    return RuleGroup(
        group=shape.name,
        file=path.name,
        rules=tuple(_rules(shape)),
        interval_ms=shape.interval,
        limit=shape.limit,
        query_offset_ms=shape.query_offset,
        source=f"{path}:{shape.place.line}",
    )


def _rules(group: GroupShape) -> Iterator[GroupedRule]:
    for shape in group.rules:
        labels = {**group.labels, **shape.labels}
        yield _alerting(shape, labels) if shape.alert else _recording(shape, labels)


def _alerting(shape: GroupedRuleShape, labels: dict[str, str]) -> AlertingRule:
    return AlertingRule(
        alert=shape.alert or "",
        expr=shape.expr,
        for_ms=shape.for_,
        keep_firing_for_ms=shape.keep_firing_for,
        labels=labels,
        annotations=shape.annotations,
    )


def _recording(shape: GroupedRuleShape, labels: dict[str, str]) -> RecordingRule:
    return RecordingRule(record=shape.record or "", expr=shape.expr, labels=labels)
