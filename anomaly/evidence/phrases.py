"""How places read in the sentences of a finding, and in the expressions that prove them."""

from __future__ import annotations

from anomaly.promql.written import as_expression, narrowed_query, query_in
from collectors.model import Tags

_SPECIAL = set(",():\\")


def place(group: Tags) -> str:
    """Return where, as it ends a sentence: `` in us-east-1``, or nothing."""
    values = [value for value in group.values() if value]
    return f" in {', '.join(values)}" if values else ""


def scope_text(group: Tags) -> str:
    """Return a group for an identifier: its values by slashes, ``all`` when there are none."""
    return "/".join(group.values()) or "all"


def narrowed(expression: str, group: Tags) -> str:
    """Return ``expression`` restricted to one group by common queries.

    >>> narrowed("name,sps,:eq,:sum", {"cloud.region": "us-east-1"})
    'name,sps,:eq,:sum,cloud.region,us-east-1,:eq,:cq'
    """
    query = query_in(expression)
    if query is not None:
        return as_expression(narrowed_query(query, group))
    for key, value in group.items():
        if value and not _SPECIAL & set(value):
            expression = f"{expression},{key},{value},:eq,:cq"
    return expression
