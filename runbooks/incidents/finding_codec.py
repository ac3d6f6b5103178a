"""Findings as JSON, for the event log and the HTTP API."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields

from anomaly.evidence.accusing import suspect_words
from anomaly.evidence.line_kinds import line_words
from anomaly.findings import (
    Finding,
    FindingKind,
    FindingState,
    LineKind,
    NearChange,
    Relation,
    Suspect,
    Urgency,
)
from runbooks.incidents.events import JsonValue

NAMES = tuple(f.name for f in fields(Finding))


def finding_to_json(finding: Finding) -> dict[str, JsonValue]:
    """Return every field; numbers that JSON doesn't know become null."""
    return {name: _plain(getattr(finding, name)) for name in NAMES}


def finding_from_json(data: Mapping[str, JsonValue]) -> Finding:
    """Return the finding that :func:`finding_to_json` wrote."""
    values: dict[str, object] = dict(data)
    values["kind"] = FindingKind(str(data["kind"]))
    values["state"] = FindingState(str(data["state"]))
    values["urgency"] = Urgency(str(data["urgency"]))
    values["observed"] = _number(data["observed"])
    named = data.get("values")
    values["values"] = {k: _number(v) for k, v in named.items()} if isinstance(named, dict) else {}
    traces = data.get("exemplar_trace_ids")
    values["exemplar_trace_ids"] = tuple(traces) if isinstance(traces, list) else ()
    near = data.get("changes")
    found = near if isinstance(near, list) else []  # none in what was written before there were any
    values["given_up"] = data.get("given_up") is True
    values["changes"] = tuple(change_from_json(c) for c in found if isinstance(c, dict))
    accused = data.get("suspects")
    suspects = accused if isinstance(accused, list) else []
    values["suspects"] = tuple(suspect_from_json(s) for s in suspects if isinstance(s, dict))
    heard = data.get("lines")
    lines = heard if isinstance(heard, list) else []  # as above
    values["lines"] = tuple(line_from_json(one) for one in lines if isinstance(one, dict))
    values["explained_by"] = _tags(data.get("explained_by"))
    values["subject"] = str(data.get("subject", ""))
    return Finding(**{name: values[name] for name in NAMES})  # type: ignore[arg-type]  # by name


def change_to_json(change: NearChange) -> dict[str, JsonValue]:
    """Return every field of a change before a finding."""
    return {f.name: _plain(getattr(change, f.name)) for f in fields(NearChange)}


def change_from_json(data: Mapping[str, JsonValue]) -> NearChange:
    """Return the change that :func:`change_to_json` wrote."""
    return NearChange(
        id=str(data["id"]),
        time_ms=int(_number(data["time_ms"])),
        kind=str(data["kind"]),
        summary=str(data["summary"]),
        service=str(data["service"]),
        scope=_tags(data.get("scope")),
        url=str(data["url"]),
        relation=Relation(str(data["relation"])),
        before_ms=int(_number(data["before_ms"])),
        why=str(data.get("why", "")),
        compared=str(data.get("compared", "")),
    )


def suspect_from_json(data: Mapping[str, JsonValue]) -> Suspect:
    """Return the suspect that :func:`finding_to_json` wrote."""
    onsets = data.get("onsets_ms")
    return Suspect(
        service=str(data["service"]),
        share=_number(data["share"]),
        reason=str(data["reason"]),
        path=_words(data.get("path")),
        against=_words(data.get("against")),
        onsets_ms=tuple(int(_number(ms)) for ms in onsets) if isinstance(onsets, list) else (),
        felt_by=_words(data.get("felt_by")),
    )


def line_to_json(line: LineKind) -> dict[str, JsonValue]:
    """Return every field of a kind of log line, and what it is in words."""
    row = {f.name: _plain(getattr(line, f.name)) for f in fields(LineKind)}
    return {**row, "words": line_words(line)}


def line_from_json(data: Mapping[str, JsonValue]) -> LineKind:
    """Return the kind of log line that :func:`line_to_json` wrote."""
    numbers = ("since_ms", "until_ms", "count", "before", "among", "before_ms")
    texts = ("pattern", "text", "service", "severity", "sample", "trace_id")
    known: dict[str, object] = {name: int(_number(data[name])) for name in numbers}
    known |= {name: str(data[name]) for name in texts}
    return LineKind(new=data["new"] is True, **known)  # type: ignore[arg-type]  # by name


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _tags(value: object) -> dict[str, str]:
    return {k: str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _plain(value: object) -> JsonValue:
    if isinstance(value, NearChange):
        return change_to_json(value)
    if isinstance(value, LineKind):
        return line_to_json(value)
    if isinstance(value, Suspect):
        row = {f.name: _plain(getattr(value, f.name)) for f in fields(Suspect)}
        return {**row, "text": suspect_words(value)}
    if value is None or isinstance(value, bool | str):
        return None if value is None else value if isinstance(value, bool) else str(value)
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, int):
        return int(value)
    number = float(value)  # type: ignore[arg-type]  # whatever else a finding holds is a number
    return number if math.isfinite(number) else None


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
