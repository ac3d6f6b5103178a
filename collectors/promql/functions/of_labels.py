"""Functions that change labels, or order by them, or speak of what is absent."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from collectors.patterns import Captures, PatternError
from collectors.promql.functions.arguments import Arguments, Function
from collectors.promql.labels.matchers import NAME_LABEL, MatchOp, pattern_of
from collectors.promql.labels.table import Labels
from collectors.promql.language.errors import PromqlError
from collectors.promql.language.nodes import MatrixSelector, Node, VectorSelector, bare
from collectors.promql.vectors.values import BoolArray, Value, Vector, united, vector_of

_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)
_CHUNKS = re.compile(r"(\d+)")


def _valid(name: str, what: str, function: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        name = ""
    if not name:
        raise PromqlError(f"invalid {what} label name in {function}(): {name}")
    return name


def _with_label(vector: Vector, name: str, texts: list[str]) -> Vector:
    """Return a vector with a label set, of series that are all different."""
    column = vector.labels.words.numbers(texts)
    flags = vector.drop_name
    if name == NAME_LABEL:
        flags = np.zeros(vector.labels.size, dtype=np.bool_)
    changed = replace(vector, labels=vector.labels.replaced(name, column), drop_name=flags)
    return united(changed)


def _label_replace(given: Arguments) -> Value:
    vector, replacement = given.vector(), given.text(2)
    target = _valid(given.text(1), "destination", "label_replace")
    try:
        pattern = pattern_of(given.text(4))
    except PatternError as error:
        raise PromqlError(
            f"invalid regular expression in label_replace(): {given.text(4)}: {error}"
        ) from None
    texts = vector.labels.values(target)
    results: dict[str, str | None] = {}
    for row, source in enumerate(vector.labels.values(given.text(3))):
        if source not in results:
            found = pattern.captures(source)
            results[source] = None if found is None else _expanded(replacement, found)
        filled = results[source]
        if filled is not None:
            texts[row] = filled
    return _with_label(vector, target, texts)


def _expanded(template: str, found: Captures) -> str:
    """Return a template with ``$1`` and ``${name}`` filled in; unknown groups are empty."""

    def fill(reference: re.Match[str]) -> str:
        if reference[0] == "$$":
            return "$"
        name = reference[1] or reference[2]
        try:
            return found.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _REFERENCE.sub(fill, template)


def _label_join(given: Arguments) -> Value:
    vector = given.vector()
    target = _valid(given.text(1), "destination", "label_join")
    separator = given.text(2)
    sources = [
        vector.labels.values(_valid(given.text(number), "source", "label_join"))
        for number in range(3, len(given.values))
    ]
    texts = [separator.join(parts) for parts in zip(*sources, strict=True)]
    return _with_label(vector, target, texts or [""] * vector.labels.size)


def _sort(*, descending: bool) -> Function:
    def function(given: Arguments) -> Value:
        vector = given.vector()
        if given.context.steps != 1:
            given.context.notes.warn(
                "sort is ineffective for range queries since results are always ordered by labels",
                given.node,
            )
            return vector
        values = vector.values[:, 0]
        order = np.argsort(-values if descending else values, kind="stable")
        return vector.take(order)

    return function


def _sort_by_label(*, descending: bool) -> Function:
    def function(given: Arguments) -> Value:
        vector = given.vector()
        if given.context.steps != 1:
            given.context.notes.warn(
                "sort is ineffective for range queries since results are always ordered by labels",
                given.node,
            )
            return vector
        keys = [vector.labels.values(given.text(n)) for n in range(1, len(given.values))]
        sets = vector.labels.dicts()

        def key(row: int) -> tuple[object, ...]:
            natural = tuple(_natural(texts[row]) for texts in keys)
            return (natural, sorted(sets[row].items()))

        order = sorted(range(vector.labels.size), key=key, reverse=descending)
        return vector.take(np.array(order, dtype=np.int64))

    return function


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key by which ``a10`` comes after ``a9``."""
    parts = [part for part in _CHUNKS.split(text) if part]
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in parts)


def _absent(given: Arguments) -> Value:
    somewhere: BoolArray = np.any(given.vector().present, axis=0)
    return _absence(given, bare(given.place(0)), ~somewhere)


def _absent_over_time(given: Arguments) -> Value:
    windows = given.ranges()
    times = np.sort(windows.samples.times)
    before = np.searchsorted(times, windows.ends - windows.range_ms, side="right")
    missing: BoolArray = np.searchsorted(times, windows.ends, side="right") == before
    node = bare(given.place(0))
    selector = node.selector if isinstance(node, MatrixSelector) else node
    return _absence(given, selector, np.repeat(missing, given.context.steps // len(missing)))


def _absence(given: Arguments, node: Node, missing: BoolArray) -> Value:
    """Return 1 where nothing is present, with the labels that what is absent would have."""
    words = given.context.words
    labels = Labels.of(words, [absent_labels(node)])
    if not missing.any():
        labels = labels.take(np.zeros(0, dtype=np.int64))
        missing = missing[:0].reshape(0, given.context.steps)
        return vector_of(labels, np.zeros(missing.shape), missing)
    return vector_of(labels, np.ones((1, len(missing))), missing[np.newaxis, :].copy())


def absent_labels(node: Node) -> dict[str, str]:
    """Return the labels that a selector asks for by equality, each asked for once."""
    found: dict[str, str] = {}
    if not isinstance(node, VectorSelector):
        return found
    doubtful: set[str] = {NAME_LABEL}
    for matcher in node.matchers:
        if matcher.op is MatchOp.EQUAL and matcher.name not in found:
            found[matcher.name] = matcher.value
        else:
            doubtful.add(matcher.name)
    return {name: value for name, value in found.items() if name not in doubtful and value}


LABEL_FUNCTIONS: dict[str, Function] = {
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "label_join": _label_join,
    "label_replace": _label_replace,
    "sort": _sort(descending=False),
    "sort_by_label": _sort_by_label(descending=False),
    "sort_by_label_desc": _sort_by_label(descending=True),
    "sort_desc": _sort(descending=True),
}
"""Each by its name."""
