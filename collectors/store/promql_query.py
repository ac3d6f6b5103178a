"""Matchers of PromQL as predicates over tags, and tags as labels.

``__name__`` is the tag ``name``; a label ``name`` is kept as ``exported_name``, and shown as it was
sent. The kind of a series is no label. Patterns are matched against the values that there are, so
that RE2 reads them exactly as Prometheus does, and the index is asked for values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from collectors.prometheus_labels import tag_key
from collectors.promql.labels.matchers import Matcher, MatchOp, pattern_of
from collectors.stacklang.predicates.predicate import (
    And,
    AnyOf,
    Equal,
    HasKey,
    In,
    NoneOf,
    Not,
    Or,
    Query,
)

_PLAIN_CHOICE = re.compile(r"[\w:/ -]+(?:\|[\w:/ -]+)*", re.ASCII)
Values = Callable[[str, Query], Sequence[str]]
"""The values of a key among series that match."""


def query_of(matchers: Sequence[Matcher], values: Values) -> Query:
    """Return the predicate that holds where all matchers do."""
    exact = [m for m in matchers if m.op in (MatchOp.EQUAL, MatchOp.NOT_EQUAL)]
    found: Query = AnyOf()
    for matcher in exact:
        found = _both(found, _exact(matcher))
    narrow = found
    for matcher in matchers:
        if matcher not in exact:
            found = _both(found, _by_pattern(matcher, narrow, values))
    return found


def _both(left: Query, right: Query) -> Query:
    if isinstance(left, AnyOf):
        return right
    return left if isinstance(right, AnyOf) else And(left, right)


def _exact(matcher: Matcher) -> Query:
    key = tag_key(matcher.name)
    found: Query = Equal(key, matcher.value) if matcher.value else Not(HasKey(key))
    return Not(found) if matcher.op is MatchOp.NOT_EQUAL else found


def _by_pattern(matcher: Matcher, narrow: Query, values: Values) -> Query:
    key, text = tag_key(matcher.name), matcher.value
    found: Query
    if text == ".*":
        found = AnyOf()
    elif text == ".+":
        found = HasKey(key)
    elif _PLAIN_CHOICE.fullmatch(text):
        found = In(key, tuple(text.split("|")))
    else:
        known = values(key, narrow)
        pattern = pattern_of(text)
        matching = tuple(known[row] for row in pattern.select(known).tolist())
        found = In(key, matching) if matching else NoneOf()
        if pattern.matches(""):
            found = Or(found, Not(HasKey(key)))
    return Not(found) if matcher.op is MatchOp.MATCHES_NOT else found
