"""Panels of Grafana as panels of ours: their queries, units, legends, lines to compare with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from collectors.errors import QueryError
from collectors.stacklang.text.lexer import escape
from tocsin.boards.document import as_program, everywhere
from tocsin.boards.grafana.variables import Variables

_DRAWN = {"timeseries", "graph"}
_DRAWN_AS_LINES = {
    *("stat", "singlestat", "gauge", "bargauge", "barchart", "piechart", "grafana-piechart-panel"),
    *("table", "table-old", "heatmap", "histogram", "state-timeline", "status-history", "trend"),
}
_UNITS = {
    **dict.fromkeys(("none", "short", ""), ""),
    "percentunit": "ratio",
    "percent": "%",
    **dict.fromkeys(("bytes", "decbytes"), "By"),
    **dict.fromkeys(("Bps", "binBps"), "By/s"),
    **dict.fromkeys(("reqps", "ops", "rps", "wps", "iops", "cps", "pps", "mps", "eps"), "1/s"),
}
_LEGEND = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")
_TOLD = {
    "transformations": "its transformations",
    "alert": "its alert rule",
    "links": "its links",
}
Parse = Callable[[str], list[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePanel:
    """A panel as a file has it, and what it lost."""

    fields: dict[str, Any]
    lost: tuple[str, ...]


class NotDrawnError(ValueError):
    """Why a panel is left out."""


def made_panel(panel: Mapping[str, Any], variables: Variables, parse: Parse) -> MadePanel:
    """Return a panel of ours.

    Args:
        panel: As Grafana saves it.
        variables: Of its dashboard.
        parse: Reads a program of the stack language.

    Raises:
        NotDrawnError: Nothing of it can be drawn; with the reason.
    """
    kind = str(panel.get("type", ""))
    lost = [text for key, text in _TOLD.items() if panel.get(key)]
    if kind in _DRAWN_AS_LINES:
        lost.append(f"it was a {kind} and is drawn as lines")
    elif kind not in _DRAWN:
        raise NotDrawnError(f"there is nothing like a {kind or 'panel without a type'}")
    drawn: list[tuple[str, str, str]] = []
    for target in panel.get("targets") or ():
        if not isinstance(target, Mapping) or target.get("hide"):
            continue
        try:
            drawn.append(_query(target, panel, variables, parse))
        except NotDrawnError as error:
            lost.append(f"query {target.get('refId', '?')}: {error}")
    if not drawn:
        raise NotDrawnError("; ".join(lost) or "it asks nothing")
    defaults = _mapping(_mapping(panel.get("fieldConfig")).get("defaults"))
    if _mapping(panel.get("fieldConfig")).get("overrides"):
        lost.append("what it sets for single lines")
    fields: dict[str, Any] = {"title": str(panel.get("title") or "untitled"), **_asked(drawn)}
    unit = _unit(panel, defaults)
    if unit:
        fields["unit"] = unit
    if _stacked(panel, defaults):
        fields["stack"] = True
    thresholds = _thresholds(defaults)
    if thresholds:
        fields["thresholds"] = thresholds
    return MadePanel(fields=fields, lost=tuple(lost))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _query(
    target: Mapping[str, Any], panel: Mapping[str, Any], variables: Variables, parse: Parse
) -> tuple[str, str, str]:
    """Return what a query asks: in PromQL or as a program, and its legend."""
    source = _mapping(target.get("datasource")).get("type") or _mapping(
        panel.get("datasource")
    ).get("type")
    atlas = "atlas" in str(source or "").lower()
    text = str(target.get("q") or target.get("query") or "") if atlas else target.get("expr")
    if not text or (source and not atlas and "prometheus" not in str(source).lower()):
        raise NotDrawnError(f"it asks {source or 'something else'}, not Prometheus or Atlas")
    try:
        bound = text if atlas else variables.bound(str(text))
        parse(everywhere(bound if atlas else as_program(bound)))
    except KeyError as error:
        raise NotDrawnError(str(error.args[0])) from None
    except QueryError as error:
        raise NotDrawnError(f"it can't be evaluated: {error.message}") from None
    legend = str(target.get("legendFormat") or "")
    legend = "" if legend == "__auto" else legend
    return ("", bound, legend) if atlas else (bound, "", legend)


def _asked(drawn: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the fields that say what is asked: one query as it is, several as a program."""
    if len(drawn) == 1:
        promql, program, legend = drawn[0]
        tag = _LEGEND.fullmatch(legend)
        if promql and (tag or not legend):
            return {"promql": promql} | ({"legend": tag[1]} if tag else {})
        if program and not legend:
            return {"expr": program}
    return {"expr": ",".join(_as_program(*one) for one in drawn)}


def _as_program(promql: str, program: str, legend: str) -> str:
    found = as_program(promql) if promql else program
    if not legend:
        return found
    named = _LEGEND.sub(r"$(\1)", legend)
    return f"{found},{escape(named)},:legend"


def _unit(panel: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    axes = panel.get("yaxes")
    old = _mapping(axes[0]).get("format") if isinstance(axes, list) and axes else ""
    unit = str(defaults.get("unit") or old or panel.get("format") or "")
    return _UNITS.get(unit, unit)


def _stacked(panel: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    mode = _mapping(_mapping(defaults.get("custom")).get("stacking")).get("mode", "none")
    return bool(panel.get("stack")) or mode in ("normal", "percent")


def _thresholds(defaults: Mapping[str, Any]) -> list[dict[str, float]]:
    style = _mapping(_mapping(defaults.get("custom")).get("thresholdsStyle")).get("mode", "off")
    if style == "off":
        return []
    steps = _mapping(defaults.get("thresholds")).get("steps") or ()
    values = [_mapping(step).get("value") for step in steps]
    return [{"value": float(one)} for one in values if isinstance(one, int | float)]
