"""Whether an alert that is gone is over, or nobody measures it any more. Pure.

``up == 0`` has no element when all is well, and none when ``up`` itself is gone. Without its
conditions, ``up``, the expression tells the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from anomaly.prometheus_rules.judging import NAME, Element
from collectors.promql.language.checking import children, kind_of, walk
from collectors.promql.language.nodes import (
    Aggregation,
    Binary,
    Call,
    Node,
    Paren,
    Subquery,
    Unary,
    ValueKind,
    VectorSelector,
)
from collectors.promql.language.parsing import COMPARISONS

_ABSENCE = frozenset({"absent", "absent_over_time"})


def unconditional(node: Node) -> Node | None:
    """Return an expression without its conditions; None where it has none, or asks for absence.

    >>> from collectors.promql.language.parsing import parse
    >>> from collectors.promql.language.printing import text_of
    >>> text_of(unconditional(parse("sum by (job) (up == 0) > 2 unless on () off")))
    'sum by (job) (up)'
    """
    if any(isinstance(one, Call) and one.function in _ABSENCE for one in walk(node)):
        return None
    found = _without(node)
    return None if found == node else found


def _without(node: Node) -> Node:
    match node:
        case Binary(op=op, left=left, right=right) if op in COMPARISONS and not node.return_bool:
            return _without(right if kind_of(left) is ValueKind.SCALAR else left)
        case Binary(op="and" | "unless", left=left):
            return _without(left)
        case Binary(left=left, right=right):
            return replace(node, left=_without(left), right=_without(right))
        case Paren(expr=inner) | Unary(expr=inner) | Aggregation(expr=inner) | Subquery(expr=inner):
            return replace(node, expr=_without(inner))
        case Call(args=args):
            return replace(node, args=tuple(map(_without, args)))
        case _:
            return node


def wanted_selectors(node: Node) -> Iterator[VectorSelector]:
    """Yield the selectors without which an expression has nothing.

    Left out are those whose absence is asked for, and what stands right of ``or`` and ``unless``.
    """
    match node:
        case VectorSelector():
            yield node
        case Call(function=name) if name in _ABSENCE:
            return
        case Binary(op="unless", left=left):
            yield from wanted_selectors(left)
        case Binary(op="or"):
            return
        case _:
            for below in children(node):
                yield from wanted_selectors(below)


class Measured:
    """What is measured now: the elements of an expression without its conditions.

    Args:
        found: These elements.
    """

    def __init__(self, found: Sequence[Element]) -> None:
        # Elements of an expression mostly have the same labels, so that there are few groups.
        self._groups: dict[frozenset[str], list[Mapping[str, str]]] = {}
        for one in found:
            self._groups.setdefault(frozenset(one.labels) - {NAME}, []).append(one.labels)
        self._values: dict[tuple[frozenset[str], frozenset[str]], set[tuple[str, ...]]] = {}

    def __contains__(self, element: Mapping[str, str]) -> bool:
        """Whether any is about what ``element`` was about: they agree where both say."""
        own = frozenset(element)
        for names in self._groups:
            both = names & own
            if tuple(element[name] for name in sorted(both)) in self._of(names, both):
                return True
        return False

    def _of(self, names: frozenset[str], both: frozenset[str]) -> set[tuple[str, ...]]:
        known = self._values.get((names, both))
        if known is None:
            order = sorted(both)
            known = {tuple(one[name] for name in order) for one in self._groups[names]}
            self._values[names, both] = known
        return known
