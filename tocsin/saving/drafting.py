"""Files as text from what is wanted of them; what stands in a file already stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import yaml

from collectors.errors import QueryError
from collectors.stacklang.evaluation.batch import parse
from tocsin.saving.asked import Kind, Wish


def drafted(wish: Wish, before: str) -> str:
    """Return the text of the file that is wanted.

    Args:
        wish: What is wanted.
        before: What the file says now, empty if there is none; a chart is put behind the others,
            an alert takes the place of the one of its name.
    """
    if wish.kind is Kind.DASHBOARD and before.strip():
        return _with_panel(before, wish)
    return _DRAFTS[wish.kind](wish)


def grouping(expression: str) -> tuple[str, ...]:
    """Return by which keys the lines of an expression are told apart.

    >>> grouping("name,cpu,:eq,:sum,(,app,zone,),:by"), grouping("name,cpu,:eq,:sum")
    (('app', 'zone'), ())
    """
    with suppress(QueryError):
        lines = parse(expression)
        if lines:
            return tuple(getattr(lines[0].expr, "final_grouping", ()))
    return ()


def _dashboard(wish: Wish) -> str:
    return _head("Dashboard", wish) + "  rows:\n" + _row(wish, "    ")


def _detector(wish: Wish) -> str:
    said = [("expr", wish.expr), ("unit", wish.unit or "1")]
    said += [("direction", wish.direction.value), ("urgency", wish.urgency.value)]
    return _head("Detector", wish) + _fields(said) + _grouped(wish)


def _inspection(wish: Wish) -> str:
    side, edge = ("above", wish.above) if wish.above is not None else ("below", wish.below)
    said: list[tuple[str, object]] = [("expr", wish.expr), ("unit", wish.unit or "1")]
    said += [] if edge is None else [(side, edge)]
    said += [("for", wish.lasting), ("urgency", wish.urgency.value)]
    said += [("why", f"{wish.title or wish.name} is {side} what is usual.")]
    said += [("hint", "Look at the chart, then at what changed before it.")]
    return _head("Inspection", wish) + _fields(said) + _grouped(wish)


_DRAFTS: Mapping[Kind, Callable[[Wish], str]] = {
    Kind.DASHBOARD: _dashboard,
    Kind.DETECTOR: _detector,
    Kind.INSPECTION: _inspection,
}


def _head(kind: str, wish: Wish) -> str:
    name = f"metadata:\n  name: {wish.name}\n"
    name += f"  displayName: {_word(wish.title)}\n" if wish.title else ""
    return f"apiVersion: tocsin/v1\nkind: {kind}\n{name}spec:\n"


def _fields(said: list[tuple[str, object]] | list[tuple[str, str]]) -> str:
    return "".join(f"  {name}: {_word(value)}\n" for name, value in said)


def _grouped(wish: Wish) -> str:
    keys = grouping(wish.expr)
    return f"  group_by: [{', '.join(map(_word, keys))}]\n" if keys else ""


def _row(wish: Wish, indent: str) -> str:
    lines = [f"{indent}- panels:", f"{indent}    - title: {_word(wish.panel or wish.title)}"]
    lines += [f"{indent}      {name}: {_word(value)}" for name, value in _panel(wish).items()][1:]
    return "\n".join(lines) + "\n"


def _panel(wish: Wish) -> dict[str, Any]:
    panel: dict[str, Any] = {"title": wish.panel or wish.title, "expr": wish.expr}
    panel |= {"unit": wish.unit} if wish.unit else {}
    panel |= {"stack": True} if wish.stack else {}
    panel |= {"legend": wish.legend} if wish.legend else {}
    return panel


def _with_panel(before: str, wish: Wish) -> str:
    """Return a dashboard with one chart more.

    Its row is put at the end of the text where that is the end of the rows, so that comments stay;
    otherwise the whole file is written anew.
    """
    told = yaml.safe_load(before)
    told["spec"]["rows"].append({"panels": [_panel(wish)]})
    foot = before if before.endswith("\n") else before + "\n"
    for indent in ("    ", "  ", ""):
        text = foot + _row(wish, indent)
        with suppress(yaml.YAMLError):
            if yaml.safe_load(text) == told:
                return text
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True)


def _word(value: object) -> str:
    # JSON is YAML: quoted so, nothing that a reader wrote is anything but a text.
    return json.dumps(value, ensure_ascii=False)
