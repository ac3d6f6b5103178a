"""Incidents as they lie in a directory: alert, messages, metrics, commits, deployments, answer."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anomaly.causes.commits.rank import Commit, Incident
from anomaly.causes.commits.symptom import troubles_of
from anomaly.causes.commits.trail import Message, first_failing

NONE = "none"
_IDLE = re.compile(r"#?(?:docs?|tests?|style|ci)\b")
_URL = re.compile(r"https?://([\w.-]+\.[a-z]{2,})")
_NODE = re.compile(r"\b[Nn]ode\b.*\b(?:CPU|memory|load|pressure|disk|contended)|runqueue|noisy")
_LOAD = re.compile(r"request(?:s|_rate)?_(?:per_sec\w*|rps)|_rps$|^requests_per|qps")
_SURGE = 2.0
_PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident with its answer.

    Attributes:
        name: Of its directory.
        incident: What is known.
        commits: Those made and brought out before the alert.
        culprit: The commit at fault, or :data:`NONE`.
        first_failing: The service where it truly began.
    """

    name: str
    incident: Incident
    commits: tuple[Commit, ...]
    culprit: str
    first_failing: str


def read_cases(directory: Path) -> Iterator[Case]:
    """Yield the incidents of ``directory``."""
    for place in sorted(directory.glob("*/alert.json")):
        yield _case(place.parent)


def _case(place: Path) -> Case:
    alert, answer = _json(place / "alert.json"), _json(place / "answer.json")
    messages = [
        Message(service=alert["service"], text=f"{alert['metric']} {alert['summary']}"),
        *_messages(_json(place / "patterns.json")),
    ]
    metrics = _metrics(place / "metrics.csv")
    services = {message.service for message in messages} | {service for service, _ in metrics}
    first = first_failing(alert["service"], messages, services)[-1]
    texts = [message.text for message in messages]
    return Case(
        name=place.name,
        incident=Incident(
            service=first,
            affected={message.service for message in messages},
            messages=texts,
            troubles=troubles_of(texts),
            outside=_outside(first, messages, metrics),
        ),
        commits=tuple(_commits(place / "context", alert["fired_at"])),
        culprit=answer["root_cause_commit"] or NONE,
        first_failing=answer["first_failing_service"],
    )


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def _messages(patterns: list[dict[str, Any]]) -> Iterator[Message]:
    for pattern in patterns:
        if pattern.get("sentiment") == "negative":
            yield Message(service=pattern["service"], text=pattern["signature"])


def _metrics(path: Path) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["service"], row["metric"]), []).append(float(row["value"]))
    return found


def _outside(
    first: str, messages: list[Message], metrics: dict[tuple[str, str], list[float]]
) -> tuple[str, ...]:
    """Return what says that no commit did it: an outside host, the machine, or more load.

    Load counts where the failure begins only: below it may be of its making.
    """
    hosts = {host for message in messages for host in _URL.findall(message.text)}
    found = [f"{host} fails" for host in sorted(hosts)]
    found += [message.text for message in messages if _NODE.search(message.text)][:1]
    for (service, metric), values in sorted(metrics.items()):
        quarter = max(1, len(values) // _PARTS)
        before, after = float(np.median(values[:quarter])), float(np.median(values[-quarter:]))
        if service == first and _LOAD.search(metric) and before > 0 and after >= _SURGE * before:
            found.append(f"{service} {metric} rose from {before:g} to {after:g}")
    return tuple(found)


def _commits(context: Path, fired_at: str) -> Iterator[Commit]:
    deployed: dict[str, list[str]] = {}
    for deploy in _json(context / "deploys.json"):
        if deploy["timestamp"] <= fired_at:
            deployed.setdefault(deploy["commit_sha"], []).append(deploy["service"])
    before = [c for c in _json(context / "commits.json") if c["timestamp"] <= fired_at]
    for commit in before:
        if _IDLE.match(commit["message"]) or not commit.get("diff"):
            continue
        own = deployed.get(commit["sha"], [])
        # What was brought out later from the same place holds earlier commits too.
        along = [
            service
            for other in before
            if other["timestamp"] > commit["timestamp"] and _roots(other) & _roots(commit)
            for service in deployed.get(other["sha"], [])
        ]
        yield Commit(
            id=commit["sha"],
            message=commit["message"],
            paths=tuple(commit["files_changed"]),
            diff=commit["diff"],
            deployed_to=tuple(dict.fromkeys(own or along)),
        )


def _roots(commit: dict[str, Any]) -> set[str]:
    return {path.rpartition("/")[0] for path in commit["files_changed"]}
