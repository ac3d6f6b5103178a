"""A dashboard that Grafana saved becomes a file of ours, with a list of what it lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from collectors.errors import ConfigError
from collectors.stacklang.evaluation.batch import parse
from tocsin.boards.grafana.panels import NotDrawnError, made_panel
from tocsin.boards.grafana.variables import GLOBALS, Variables, variables_of

MAX_DASHBOARD_BYTES = 8 << 20
"""Of one saved dashboard."""
_MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedBoard:
    """A dashboard of ours.

    Attributes:
        name: Of the dashboard and its file.
        text: The file, YAML; empty if there is nothing to draw.
        panels: How many are drawn.
        lost: What was left out, or is drawn otherwise, in the words of the dashboard.
    """

    name: str
    text: str
    panels: int
    lost: tuple[str, ...]


def imported_board(source: bytes) -> ImportedBoard:
    """Return a saved dashboard as one of ours.

    Raises:
        ConfigError: It is none, or too large.
    """
    if len(source) > MAX_DASHBOARD_BYTES:
        raise ConfigError(
            f"the dashboard has more than {MAX_DASHBOARD_BYTES >> 20} MiB; export it without data"
        )
    saved = _saved(source)
    variables = variables_of(_items(_field(saved, "templating").get("list")))
    rows: list[dict[str, Any]] = []
    lost: list[str] = []
    for title, repeat, panels in _rows(saved):
        rows += _made_rows(title, repeat, panels, variables, lost)
    if saved.get("annotations") and _items(_field(saved, "annotations").get("list"))[1:]:
        lost.append("annotations")
    told = [*variables.lost, *lost]
    told += [
        f"${name} is written as {text!r} for good"
        for name, text in variables.used.items()
        if name in GLOBALS
    ]
    name = _slug(str(saved.get("title") or saved.get("uid") or "dashboard"))
    return ImportedBoard(
        name=name,
        text=_written(saved, name, variables, rows) if rows else "",
        panels=sum(len(row["panels"]) for row in rows),
        lost=tuple(told),
    )


def _saved(source: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"the dashboard is not JSON: {error}") from None
    if isinstance(found, Mapping) and isinstance(found.get("dashboard"), Mapping):
        found = found["dashboard"]
    if not isinstance(found, Mapping) or not (found.get("panels") or found.get("rows")):
        raise ConfigError(
            "the file is no dashboard with panels; export it by Share, Export, Save to file, in "
            "the classic model"
        )
    return found


def _field(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _rows(saved: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield title, variable to repeat by, and panels of each row."""
    for row in _items(saved.get("rows")):
        if isinstance(row, Mapping):
            yield (
                str(row.get("title") or ""),
                str(row.get("repeat") or ""),
                _items(row.get("panels")),
            )
    title, repeat, panels = "", "", list[Any]()
    for panel in _items(saved.get("panels")):
        if not isinstance(panel, Mapping):
            continue
        if panel.get("type") != "row":
            panels.append(panel)
            continue
        yield title, repeat, panels
        title, repeat = str(panel.get("title") or ""), str(panel.get("repeat") or "")
        panels = list(_items(panel.get("panels")))
    yield title, repeat, panels


def _made_rows(
    title: str, repeat: str, panels: list[Any], variables: Variables, lost: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield a row, and one of its own for each panel that repeats."""
    made: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    for panel in panels:
        if not isinstance(panel, Mapping):
            continue
        called = f"panel '{panel.get('title') or panel.get('type')}'"
        try:
            found = made_panel(panel, variables, parse)
        except NotDrawnError as error:
            lost.append(f"{called} is left out: {error}")
            continue
        lost += [f"{called}: {each}" for each in found.lost]
        own = str(panel.get("repeat") or "")
        if own in variables.chosen:
            alone.append({"title": "", "repeat": own, "panels": [found.fields]})
        else:
            made.append(found.fields)
    if made:
        row: dict[str, Any] = {"title": title, "panels": made}
        if repeat in variables.chosen:
            row["repeat"] = repeat
        yield row
    yield from alone


def _slug(title: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return plain[:_MAX_NAME].rstrip("-") or "dashboard"


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()


def _written(
    saved: Mapping[str, Any], name: str, variables: Variables, rows: list[dict[str, Any]]
) -> str:
    """Return the file: texts in JSON's quotes, which YAML reads as they are."""
    lines = [
        "apiVersion: tocsin/v1",
        "kind: Dashboard",
        "metadata:",
        f"  name: {name}",
        f"  displayName: {_quoted(str(saved.get('title') or name)[:200])}",
        "spec:",
    ]
    if saved.get("description"):
        lines.append(f"  description: {_quoted(str(saved['description'])[:1000])}")
    if variables.chosen:
        lines.append("  variables:")
    for one in variables.chosen.values():
        fields = {"name": one.name, "tag": one.tag} | ({"query": one.query} if one.query else {})
        lines += _entry(fields, "    ")
    lines.append("  rows:")
    for row in rows:
        head = {key: row[key] for key in ("title", "repeat") if row.get(key)}
        own = _entry(head, "    ") if head else []
        lines += [*own, "      panels:"] if own else ["    - panels:"]
        for panel in row["panels"]:
            lines += _entry(panel, "        ")
    return "\n".join([*lines, ""])


def _entry(fields: Mapping[str, Any], indent: str) -> list[str]:
    """Return an item of a list, a line for each field."""
    first = f"{indent}- "
    return [
        f"{first if at == 0 else indent + '  '}{key}: {_quoted(value)}"
        for at, (key, value) in enumerate(fields.items())
    ]
