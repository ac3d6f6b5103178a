"""``rollups.yaml``: which tags old series lose when they are rolled up.

::

    rollups:
    - query: name,http.,:starts      # the first entry that matches a series counts
      drop: [node, pod]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from collectors.documents.reading import load_section
from collectors.documents.section import Context, Section
from collectors.documents.values import Text, Words, at_least_one
from collectors.errors import DocumentError, QueryError
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.words.query import WORDS as QUERY_WORDS
from collectors.store.history.rollups import RollupPolicy

# Without a name nothing is found again, and the kind says how a series is averaged.
_NEEDED = frozenset({"name", "atlas.dstype"})


class Policy(Section):
    """Tags that a part of the series loses."""

    query: Words
    """Which series: a query in the stack language."""
    drop: Annotated[tuple[Text, ...], at_least_one("names no tag")]
    """Tags that they lose; neither `name` nor `atlas.dstype`."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what is no query, and tags that are needed."""
        del context
        for index, key in enumerate(self.drop):
            if key in _NEEDED or not key:
                yield self.at("drop", index).error(f"the tag {key!r} can't be dropped")
        try:
            _query(self.query)
        except QueryError as error:
            yield self.at("query").error(f"is no query: {error.message}")


class RollupsFile(Section):
    """`rollups.yaml`: which tags old series lose when they are rolled up."""

    rollups: tuple[Policy, ...] = ()
    """The first that matches a series counts."""


def load_rollup_policies(path: Path) -> tuple[RollupPolicy, ...]:
    """Read a file of policies.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    return tuple(
        RollupPolicy(query=_query(policy.query), drop_keys=policy.drop)
        for policy in load_section(path, RollupsFile).rollups
    )


def _query(text: str) -> Query:
    stack = Interpreter(QUERY_WORDS).execute(text)
    if len(stack) != 1 or not isinstance(stack[0], Query):
        raise QueryError(f"must leave one query on the stack, not {text!r}")
    return stack[0]
