"""A chart before it is drawn: an expression and how to read its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.client.stack_words import literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A horizontal line worth comparing with, in the panel's unit."""

    value: float
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart.

    Attributes:
        title: What is drawn.
        expression: Stack language; its lines are drawn.
        unit: ``ratio``, ``s``, ``1/s``, ``By`` or any word; empty when it is not known.
        limits: Horizontal lines.
        stacked: Whether lines stand upon each other, as parts of a whole do.
        legend: The tag whose value names a line; empty takes what the server says.
        ranks: Percentiles to make of lines that are buckets; empty draws the lines as they are.
    """

    title: str
    expression: str
    unit: str
    limits: tuple[Limit, ...] = ()
    stacked: bool = False
    legend: str = ""
    ranks: tuple[int, ...] = ()

    def line_name(self, tags: Mapping[str, str], label: str) -> str:
        """Name a line by its percentile, or by the panel's tag, otherwise as the server did.

        >>> panel = Panel(title="", expression="", unit="", legend="cloud.region")
        >>> panel.line_name({"percentile": " 99.0"}, ""), panel.line_name({"a": "b"}, "a=b")
        ('p99', 'a=b')
        """
        rank = tags.get("percentile", "").strip()
        named = tags.get(self.legend, "")
        if rank.replace(".", "").isdecimal():
            return " ".join(word for word in (named, f"p{float(rank):g}") if word)
        return named or label


def bound(expression: str, variables: Mapping[str, str]) -> str:
    """Return an expression with each ``{name}`` replaced by its query.

    >>> bound("name,cpu,:eq,{where},:and,:sum", {"where": "app,shop,:eq"})
    'name,cpu,:eq,app,shop,:eq,:and,:sum'
    """
    for name, query in variables.items():
        expression = expression.replace("{" + name + "}", query)
    return expression


def labelled(expression: str, legend: str) -> str:
    """Return an expression whose lines are called ``legend``."""
    return f"{expression},{literal(legend)},:legend"
