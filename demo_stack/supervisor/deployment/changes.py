"""What the platform's operators announce: deployments, scaling, failovers, rotations.

One JSON object a line in ``changes.jsonl``, and ``GET /changes`` on the control server. A change is
told when it begins and, under the same ``id``, when it is done: the last line of an id counts.
Faults are never announced; the deployment that brings one is, as it would be in life.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

ANNOUNCED = {
    "deploy": ("Deploying {service} {version}", "Deployed {service} {version}"),
    "canary": ("Trying a canary of {service} {version}", "Ended the canary of {service} {version}"),
    "roll_back": (
        "Rolling {service} {version} back to {before}: {reason}",
        "Rolled {service} {version} back to {before}: {reason}",
    ),
    "configure": (
        "Pushing configuration {revision} to {service}",
        "Pushed configuration {revision} to {service}",
    ),
    "scale": (
        "Scaling {service} to {instances} instances",
        "Scaled {service} to {instances} instances",
    ),
    "start_instance": (
        "Starting one more instance of {service}",
        "Started one more instance of {service}",
    ),
    "evacuate_region": ("Evacuating the region", "Evacuated the region"),
    "return_region": ("Returning viewers to the region", "Returned viewers to the region"),
    "rotate_keys": ("Rotating the signing key", "Rotated the signing key"),
    "terminate": ("Chaos Monkey terminates {instance}", "Chaos Monkey terminates {instance}"),
}
"""Action to what is said when it begins and when it is done."""

KEPT = 500
LONGEST = 400
"""Characters of the longest text, for what failed may say much."""


class ChangeStatus(StrEnum):
    """Where a change stands."""

    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that operators did.

    Attributes:
        id: Joins the two tellings of one change.
        time_ms: When it began, epoch milliseconds.
        kind: Name of the action.
        text: For people.
        scope: Tags that narrow down where: ``cloud.region``, ``service.name``, ``service.version``.
        status: Where it stands.
        end_ms: When it was done or had failed, epoch milliseconds; None before.
    """

    id: str
    time_ms: int
    kind: str
    text: str
    scope: Mapping[str, str]
    status: ChangeStatus = ChangeStatus.STARTED
    end_ms: int | None = None


class ChangeLog:
    """Announces changes.

    Args:
        path: The file.
        now_ms: The present, in epoch milliseconds.
        post: Called with each telling as JSON; must return at once.
        new_id: Returns an id that no other change has.
    """

    def __init__(
        self,
        path: Path,
        now_ms: Callable[[], int],
        post: Callable[[bytes], None] = lambda _: None,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._path = path
        self._now_ms = now_ms
        self._post = post
        self._new_id = new_id
        self._recent: OrderedDict[str, Change] = OrderedDict()
        path.touch()

    def begin(self, action: str, arguments: Mapping[str, Any]) -> Change | None:
        """Announce that ``action`` begins; None if it is none that operators announce."""
        if action not in ANNOUNCED:
            return None
        return self._tell(self._change(action, arguments))

    def finish(
        self, change: Change | None, arguments: Mapping[str, Any], problem: str = ""
    ) -> None:
        """Announce that what :meth:`begin` returned is done, or how it failed."""
        if change is None:
            return
        text = ANNOUNCED[change.kind][1].format_map(_Said(arguments))
        if problem:
            text = f"Failed: {change.text}: {problem}"[:LONGEST]
        status = ChangeStatus.FAILED if problem else ChangeStatus.FINISHED
        self._tell(replace(change, text=text, status=status, end_ms=self._now_ms()))

    def announce(self, action: str, arguments: Mapping[str, Any]) -> None:
        """Announce, in one telling, what takes no time, if operators announce it."""
        if action not in ANNOUNCED:
            return
        change = self._change(action, arguments)
        text = ANNOUNCED[action][1].format_map(_Said(arguments))
        status = ChangeStatus.FINISHED
        self._tell(replace(change, text=text, status=status, end_ms=change.time_ms))

    def recent(self) -> list[Change]:
        """Return the newest changes, each once as it stands, oldest first."""
        return list(self._recent.values())

    def _change(self, action: str, arguments: Mapping[str, Any]) -> Change:
        tags = {
            "cloud.region": arguments.get("region"),
            "service.name": arguments.get("service"),
            "service.version": arguments.get("version"),
        }
        return Change(
            id=self._new_id(),
            time_ms=self._now_ms(),
            kind=action,
            text=ANNOUNCED[action][0].format_map(_Said(arguments)),
            scope={name: str(value) for name, value in tags.items() if value},
        )

    def _tell(self, change: Change) -> Change:
        self._recent[change.id] = change
        if len(self._recent) > KEPT:
            self._recent.popitem(last=False)
        line = orjson.dumps(asdict(change))
        with self._path.open("ab") as file:
            file.write(line + b"\n")
        self._post(line)
        return change


class _Said(dict[str, Any]):
    """Arguments as a text names them; what was not said is a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"
