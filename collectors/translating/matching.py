"""Conditions on tags as matchers, and matchers as conditions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collectors.prometheus_labels import label_of, tag_key
from collectors.promql.labels.matchers import NAME_LABEL, Matcher, MatchOp
from collectors.promql.language.nodes import VectorSelector
from collectors.promql.language.printing import label_text, text_of
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    HasKey,
    In,
    Not,
    Or,
    Query,
    Regex,
)
from collectors.translating.translation import UntranslatableError

_NEGATED = {
    MatchOp.EQUAL: MatchOp.NOT_EQUAL,
    MatchOp.NOT_EQUAL: MatchOp.EQUAL,
    MatchOp.MATCHES: MatchOp.MATCHES_NOT,
    MatchOp.MATCHES_NOT: MatchOp.MATCHES,
}


def matchers_of(query: Query) -> list[Matcher]:
    """Return matchers that hold where a condition does.

    Raises:
        UntranslatableError: It is none of matchers alone.
    """
    match query:
        case AnyOf():
            return []
        case And(left=left, right=right):
            return matchers_of(left) + matchers_of(right)
        case Not(query=inner):
            found = matchers_of(inner)
            if len(found) != 1:
                raise UntranslatableError(f"{query}: PromQL negates one matcher at a time")
            (one,) = found
            return [Matcher(name=one.name, op=_NEGATED[one.op], value=one.value)]
        case Equal(key=key, value=value):
            return [Matcher(name=label_of(key), op=MatchOp.EQUAL, value=value)]
        case HasKey(key=key):
            return [Matcher(name=label_of(key), op=MatchOp.NOT_EQUAL, value="")]
        case In(key=key, values=values):
            text = "|".join(map(re.escape, values))
            return [Matcher(name=label_of(key), op=MatchOp.MATCHES, value=text)]
        case Regex(key=key, pattern=pattern, ignore_case=ignore_case):
            # Patterns of Atlas hold from the start of a value on, those of PromQL for all of it.
            text = f"(?:{pattern}).*"
            return [
                Matcher(
                    name=label_of(key),
                    op=MatchOp.MATCHES,
                    value=f"(?i){text}" if ignore_case else text,
                )
            ]
        case Or():
            return [_either(query)]
        case _:
            raise UntranslatableError(f"{query}: PromQL has no matcher for it")


def _either(query: Or) -> Matcher:
    sides = [*matchers_of(query.left), *matchers_of(query.right)]
    alike = len(sides) == 2 and sides[0].name == sides[1].name  # left and right
    if not alike or any(one.op.negative or not one.value for one in sides):
        raise UntranslatableError(
            f"{query}: PromQL has 'or' between values of one label only; add up two expressions"
        )
    texts = [
        re.escape(one.value) if one.op is MatchOp.EQUAL else f"(?:{one.value})" for one in sides
    ]
    return Matcher(name=sides[0].name, op=MatchOp.MATCHES, value="|".join(texts))


def condition_of(matchers: Sequence[Matcher]) -> Query:
    """Return the condition that holds where all matchers do."""
    found: Query | None = None
    # The name first, as people write it.
    for matcher in sorted(matchers, key=lambda one: one.name != NAME_LABEL):
        one = _condition(matcher)
        found = one if found is None else And(found, one)
    return AnyOf() if found is None else found


def _condition(matcher: Matcher) -> Query:
    key = tag_key(matcher.name)
    if matcher.op in (MatchOp.EQUAL, MatchOp.NOT_EQUAL):
        found: Query = Equal(key, matcher.value) if matcher.value else Not(HasKey(key))
    else:
        found = Regex(key, f"({matcher.value})$")
        if Matcher(name=matcher.name, op=MatchOp.MATCHES, value=matcher.value).takes_empty:
            found = Or(found, Not(HasKey(key)))
    if matcher.op.negative:
        return found.query if isinstance(found, Not) else Not(found)
    return found


def matcher_text(matchers: Sequence[Matcher]) -> str:
    """Return a selector with these matchers, the name in front where it is plain."""
    named = [one for one in matchers if one.name == NAME_LABEL]
    name = named[0].value if len(named) == 1 and named[0].op is MatchOp.EQUAL else ""
    return text_of(VectorSelector(start=0, end=0, name=name, matchers=tuple(matchers)))


def labels_text(keys: Sequence[str]) -> str:
    """Return tag keys as the labels of a grouping."""
    return ", ".join(label_text(label_of(key)) for key in keys)
