"""``rollups.yaml``: which tags old series lose when they are rolled up.

::

    rollups:
    - query: name,http.,:starts      # the first entry that matches a series counts
      drop: [node, pod]
"""

from __future__ import annotations

from pathlib import Path

from collectors.documents import Field, load_document
from collectors.errors import QueryError
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.words.query import QUERY_WORDS
from collectors.store.history.rollups import RollupPolicy

# Without a name nothing is found again, and the kind says how a series is averaged.
_NEEDED = frozenset({"name", "atlas.dstype"})


def load_rollup_policies(path: Path) -> tuple[RollupPolicy, ...]:
    """Read a file of policies.

    Raises:
        DocumentError: Something is wrong, with file, line and field.
    """
    root = load_document(path).mapping(frozenset({"rollups"}))
    return tuple(_policy(entry) for entry in root["rollups"].items()) if root else ()


def _policy(entry: Field) -> RollupPolicy:
    fields = entry.mapping(frozenset({"query", "drop"}))
    for name in ("query", "drop"):
        if name not in fields:
            raise entry.error(f"{name} is missing")
    keys = []
    for key in fields["drop"].items():
        if key.text() in _NEEDED or not key.text():
            raise key.error(f"the tag {key.text()!r} can't be dropped")
        keys.append(key.text())
    if not keys:
        raise fields["drop"].error("names no tag")
    return RollupPolicy(query=_query(fields["query"]), drop_keys=tuple(keys))


def _query(field: Field) -> Query:
    try:
        stack = Interpreter(QUERY_WORDS).execute(field.text())
    except QueryError as error:
        raise field.error(f"is no query: {error.message}") from error
    if len(stack) != 1 or not isinstance(stack[0], Query):
        raise field.error(f"must leave one query on the stack, not {field.text()!r}")
    return stack[0]
