"""What the platform's operators announce: deployments, scaling, failovers, rotations.

One JSON object a line in ``changes.jsonl``, and ``GET /changes`` on the control server. Faults are
never announced; the deployment that brings one is, as it would be in life.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

ANNOUNCED = {
    "deploy": "Deployed {service} {version}",
    "canary": "Started a canary of {service} {version}",
    "roll_back": "Rolled {service} {version} back to {before}: {reason}",
    "scale": "Scaled {service} to {instances} instances",
    "start_instance": "Started one more instance of {service}",
    "evacuate_region": "Evacuated the region",
    "return_region": "Returned viewers to the region",
    "rotate_keys": "Rotated the signing key",
    "terminate": "Chaos Monkey terminates {instance}",
}
KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that operators did.

    Attributes:
        time_ms: When it was done, epoch milliseconds.
        kind: Name of the action.
        text: For people.
        scope: Tags that narrow down where: ``cloud.region``, ``service.name``, ``service.version``.
    """

    time_ms: int
    kind: str
    text: str
    scope: Mapping[str, str]


class ChangeLog:
    """Announces changes.

    Args:
        path: The file.
        now_ms: The present, in epoch milliseconds.
        post: Called with each change as JSON; must return at once.
    """

    def __init__(
        self,
        path: Path,
        now_ms: Callable[[], int],
        post: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._now_ms = now_ms
        self._post = post
        self._recent: deque[Change] = deque(maxlen=KEPT)
        path.touch()

    def announce(self, action: str, arguments: Mapping[str, Any]) -> None:
        """Announce that ``action`` was done, if it is one that operators announce."""
        if action not in ANNOUNCED:
            return
        tags = {
            "cloud.region": arguments.get("region"),
            "service.name": arguments.get("service"),
            "service.version": arguments.get("version"),
        }
        change = Change(
            time_ms=self._now_ms(),
            kind=action,
            text=ANNOUNCED[action].format_map(arguments),
            scope={name: str(value) for name, value in tags.items() if value},
        )
        self._recent.append(change)
        line = orjson.dumps(asdict(change))
        with self._path.open("ab") as file:
            file.write(line + b"\n")
        self._post(line)

    def recent(self) -> list[Change]:
        """Return the newest changes, oldest first."""
        return list(self._recent)
