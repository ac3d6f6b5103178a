"""Variables of a Grafana dashboard: what can be chosen, and what stands for a fixed text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.errors import QueryError
from collectors.prometheus_labels import tag_key
from collectors.promql.language.nodes import VectorSelector
from collectors.promql.language.parsing import parse
from collectors.translating.matching import condition_of

# Dashboards come from strangers: no pattern may look at a text again from each of its characters.
_CALL, _LABEL = "label_values(", re.compile(r"[\w.]+")
_REFERENCE = re.compile(r"\$\{(\w+)(?:[:.][^}$]*)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]")
_MATCHER = re.compile(
    r'((?<![\w.])[\w.]++|"[^"]*")\s*+(=~|!~|!=|=)\s*+'
    r'("(?:[^"\\]|\\.)*+"|\'(?:[^\'\\]|\\.)*+\')'
)
_PATTERNED = {"=": "=~", "!=": "!~"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
GLOBALS = {
    "__rate_interval": "5m",
    "__interval": "1m",
    "__interval_ms": "60000",
    "__range": "1h",
    "__range_s": "3600",
    "__range_ms": "3600000",
    "__auto_interval": "5m",
}
"""What Grafana works out from the width of a panel, as it is written for good here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """Something that a reader chooses: the value of a tag, among series of a query."""

    name: str
    tag: str
    query: str


@dataclass(slots=True, kw_only=True)
class Variables:
    """The variables of a dashboard.

    Attributes:
        chosen: Those that can be chosen here.
        fixed: Texts that others stand for.
        lost: What could not be carried over.
        used: Which of the fixed ones stood somewhere, each with its text.
    """

    chosen: dict[str, Variable] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=lambda: dict(GLOBALS))
    lost: list[str] = field(default_factory=list)
    used: dict[str, str] = field(default_factory=dict)

    def bound(self, expression: str) -> str:
        """Return an expression of PromQL with our variables in the place of Grafana's.

        Raises:
            KeyError: It needs one that is not there, or where none can stand; with the reason.
        """
        return self._replaced(_MATCHER.sub(self._matcher, expression), chosen=False)

    def _matcher(self, found: re.Match[str]) -> str:
        name, op, value = found.groups()
        if not any(self._name(each) in self.chosen for each in _REFERENCE.finditer(value)):
            return found.group()
        return f"{name}{_PATTERNED.get(op, op)}{self._replaced(value, chosen=True)}"

    @staticmethod
    def _name(found: re.Match[str]) -> str:
        return found[1] or found[2] or found[3] or ""

    def _replaced(self, text: str, *, chosen: bool) -> str:
        def replaced(found: re.Match[str]) -> str:
            name = self._name(found)
            if name in self.chosen:
                if chosen:
                    return "{" + name + "}"
                raise KeyError(f"the variable {name} stands where only a value of a label can")
            if name not in self.fixed:
                raise KeyError(f"the variable {name} is not there")
            self.used[name] = self.fixed[name]
            return self.fixed[name]

        return _REFERENCE.sub(replaced, text)


def variables_of(listed: list[Any]) -> Variables:
    """Return the variables of ``templating.list``."""
    found = Variables()
    for one in listed:
        if not isinstance(one, Mapping) or one.get("type") in ("datasource", "adhoc"):
            if isinstance(one, Mapping) and one.get("type") == "adhoc":
                found.lost.append(f"variable {one.get('name')}: filters for all panels at once")
            continue
        _take(one, found)
    return found


def _take(one: Mapping[str, Any], found: Variables) -> None:
    name = str(one.get("name", ""))
    query = one.get("query")
    text = str(query.get("query", "")) if isinstance(query, Mapping) else str(query or "")
    asked = _asked(text)
    if one.get("type") == "query" and asked is not None and _NAME.fullmatch(name):
        series, label = asked
        condition, lost = _condition(series)
        found.chosen[name] = Variable(name=name, tag=tag_key(label), query=condition)
        if lost:
            found.lost.append(f"variable {name}: {lost}")
        return
    value = _current(one)
    if value is None:
        found.lost.append(f"variable {name}: {one.get('type')} '{text}' has no fixed value")
        return
    found.fixed[name] = value
    if one.get("type") not in ("constant", "interval"):
        found.lost.append(f"variable {name}: can't be chosen here and stays {value!r}")


def _asked(text: str) -> tuple[str, str] | None:
    """Return the series and the label of ``label_values(series, label)``; None for other texts."""
    plain = text.strip()
    if not (plain.startswith(_CALL) and plain.endswith(")")):
        return None
    series, _, label = plain[len(_CALL) : -1].rpartition(",")
    return (series.strip(), label.strip()) if _LABEL.fullmatch(label.strip()) else None


def _condition(series: str) -> tuple[str, str]:
    """Return the query for the series of a variable, and what is wrong with it."""
    if not series:
        return "", ""
    if _REFERENCE.search(series):
        plain = _MATCHER.sub(lambda one: "" if _REFERENCE.search(one.group()) else one[0], series)
        plain = re.sub(r",\s*(?=[,}])", "", re.sub(r"\{[\s,]+", "{", plain))
        condition, lost = _condition(plain) if not _REFERENCE.search(plain) else ("", "")
        return condition, lost or "its choices don't follow those of other variables"
    try:
        selector = parse(series)
    except QueryError as error:
        return "", f"all series offer values, as theirs can't be read: {error.message}"
    if not isinstance(selector, VectorSelector):
        return "", "all series offer values, as theirs are computed"
    return str(condition_of(selector.matchers)), ""


def _current(one: Mapping[str, Any]) -> str | None:
    current = one.get("current")
    value = current.get("value") if isinstance(current, Mapping) else None
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if value in (None, "", "$__all", "$__auto", "$__auto_interval_interval"):
        fallback = str(one.get("query") or "").split(",")[0].strip()
        if one.get("type") == "interval":
            return fallback or "5m"
        return fallback if one.get("type") in ("constant", "textbox") and fallback else None
    return str(value)
