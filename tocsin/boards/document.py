"""Reading dashboards from YAML; every mistake with its file, line and field.

::

    apiVersion: tocsin/v1
    kind: Dashboard
    metadata:
      name: checkout
    spec:
      pages: [overview]
      variables:
        - {name: region, tag: cloud.region, query: "name,orders,:eq"}
      rows:
        - title: Orders
          repeat: region
          panels:
            - title: Orders by kind
              expr: name,orders,:eq,{region},:and,:sum,(,kind,),:by
              unit: 1/s
              stack: true
              thresholds: [{value: 5, name: what we plan for}]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from anomaly.slo.documents.metadata import Description, Metadata
from collectors.documents.composing import compose
from collectors.documents.reading import Mistakes, files_of, flattened, read_all, text_of, validated
from collectors.documents.section import PLAIN, Context, Section, close_to
from collectors.documents.values import (
    BareFlag,
    BareNumber,
    PureText,
    PureWords,
    at_least_one,
    checked_expression,
    matching,
    one_of,
)
from collectors.errors import DocumentError
from collectors.stacklang.text.lexer import escape

API_VERSION = "tocsin/v1"
_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:value)?\}")
_EVERYTHING, _ANY_VALUE = ":true", ".*"


class Place(StrEnum):
    """Pages that show a dashboard's charts besides the page of dashboards."""

    OVERVIEW = "overview"
    WAR_ROOM = "war_room"


def everywhere(expression: str) -> str:
    """Return an expression with its variables standing for everything.

    >>> everywhere("name,orders,:eq,{region},:and,zone,{zone:value},:re,:and")
    'name,orders,:eq,:true,:and,zone,.*,:re,:and'
    """
    return _VARIABLE.sub(lambda found: _ANY_VALUE if found[2] else _EVERYTHING, expression)


def as_program(promql: str) -> str:
    """Return an expression of PromQL as a program, its variables as patterns of their values.

    >>> as_program('up{job=~"{job}"}')
    'up{job=~"{job:value}"},:promql'
    """
    return _VARIABLE.sub(r"{\1:value}", escape(promql)) + ",:promql" if promql else ""


def variables_of(text: str) -> list[str]:
    """Return the variables that an expression names, each once."""
    return list(dict.fromkeys(found[0] for found in _VARIABLE.findall(text)))


_Expression = Annotated[PureText, checked_expression(everywhere)]
_Promql = Annotated[PureText, checked_expression(lambda text: everywhere(as_program(text)))]
_Variable = Annotated[
    PureWords, matching("[A-Za-z_][A-Za-z0-9_]*", "a name of letters, digits and _")
]


class ThresholdShape(Section):
    """A horizontal line worth comparing with."""

    value: BareNumber
    """Where, in the panel's unit."""
    name: PureText = ""
    """What it is, for people."""


class PanelShape(Section):
    """One chart."""

    title: PureWords
    """What is drawn."""
    expr: _Expression = ""
    """Expression in the stack language; each of its lines is drawn. `{region}` stands for the
    query that the variable `region` has the chosen value, or for everything; `{region:value}` for
    a pattern of the value."""
    promql: _Promql = ""
    """Instead, an expression in PromQL; `{region}` stands for a pattern of the chosen value, or of
    any: write `region=~"{region}"`."""
    unit: PureText = ""
    """Unit of the values: `ratio`, `s`, `1/s`, `By`, or any word."""
    stack: BareFlag = False
    """Whether lines stand upon each other, as parts of a whole do."""
    legend: PureText = ""
    """Tag whose value names a line; without it the expression's own legend does."""
    thresholds: tuple[ThresholdShape, ...] = ()
    """Horizontal lines."""


class RowShape(Section):
    """Charts that belong together."""

    title: PureText = ""
    """What they are about."""
    repeat: PureText = ""
    """A variable: the row is drawn once for each of its values."""
    panels: Annotated[tuple[PanelShape, ...], at_least_one("has no panel")]
    """From left to right."""


class VariableShape(Section):
    """Something that a reader chooses."""

    name: _Variable
    """What expressions call it, in braces."""
    tag: PureWords
    """The tag whose values can be chosen."""
    query: Annotated[PureText, checked_expression()] = ""
    """Series whose values are offered; without it, all that have the tag."""


class DashboardSpec(Section):
    """What is drawn, and where."""

    description: Description = ""
    """At most 1,050 characters."""
    pages: tuple[Annotated[Place, one_of(tuple(Place))], ...] = ()
    """Pages that show the charts, too: `overview`, `war_room`."""
    variables: tuple[VariableShape, ...] = ()
    """What a reader chooses."""
    rows: Annotated[tuple[RowShape, ...], at_least_one("has no row")]
    """From top to bottom."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield variables that are none or are named twice."""
        del context
        names: list[str] = []
        for position, variable in enumerate(self.variables):
            if variable.name in names:
                told = f"the name {variable.name!r} is taken by another variable"
                yield self.at("variables", position, "name").error(told)
            names.append(variable.name)
        for at, row in enumerate(self.rows):
            if row.repeat and row.repeat not in names:
                yield self.at("rows", at, "repeat").error(_unknown(row.repeat, names))
            for index, panel in enumerate(row.panels):
                path = ("rows", at, "panels", index)
                if bool(panel.expr) == bool(panel.promql):
                    yield self.at(*path).error("must have either expr or promql")
                field = "expr" if panel.expr else "promql"
                for used in variables_of(panel.expr or panel.promql):
                    if used not in names:
                        yield self.at(*path, field).error(_unknown(used, names))


class DashboardFile(Section):
    """`dashboards/*.yaml`: charts of your own."""

    api_version: Annotated[Literal["tocsin/v1"], one_of((API_VERSION,))] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Annotated[Literal["Dashboard"], one_of(("Dashboard",))]
    """What it is."""
    metadata: Metadata
    """Its name, and its name for people."""
    spec: DashboardSpec
    """What is drawn."""


def load_boards(directory: Path, context: Context = PLAIN) -> tuple[DashboardFile, ...]:
    """Return the dashboards of all files in ``directory``; none if it does not exist.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes = Mistakes()
    boards: dict[str, DashboardFile] = {}
    for file in files_of(directory):
        with mistakes.kept():
            for board in read_boards(text_of(file), file=str(file), context=context):
                name = board.metadata.name
                taken = boards.setdefault(name, board)
                if taken is not board:
                    told = f"the name {name!r} is taken by {taken.place.file}:{taken.place.line}"
                    mistakes.errors.append(board.at("metadata", "name").error(told))
    mistakes.raise_any()
    return tuple(boards.values())


def read_boards(source: str, *, file: str, context: Context = PLAIN) -> list[DashboardFile]:
    """Return the dashboards in ``source``: YAML or JSON, one or several documents.

    Raises:
        DocumentError: All mistakes found.
    """
    composed = flattened(compose(source, file))
    return read_all(composed, lambda node: validated(node, DashboardFile, context))


def _unknown(name: str, names: list[str]) -> str:
    meant = close_to(name, names)
    known = f"known are {', '.join(names)}" if names else "spec.variables names none"
    return f"no variable {name!r}; " + (f"did you mean {meant!r}?" if meant else known)
