"""``GET /api/v2/escalations``: the policies, and whom each would ring at a moment."""

from __future__ import annotations

from starlette.requests import Request

from collectors.api.parameters import Parameters
from runbooks.api.views import Json
from runbooks.escalation.policy import Policy
from runbooks.escalation.whom import whom
from runbooks.incidents.events import JsonValue
from runbooks.oncall.duty import Duty

_MAX_TIME_MS = 4_102_444_800_000


def moment_of(request: Request, now_ms: int) -> int:
    """Return the moment that is asked for, epoch milliseconds; without one the present.

    Raises:
        QueryError: It is no number, or after the year 2099.
    """
    return Parameters.of(request).integer("at_ms", now_ms, low=0, high=_MAX_TIME_MS)


def policies(found: dict[str, Policy], duty: Duty, at_ms: int) -> Json:
    """Return every policy, and whom its levels ring at a moment."""
    rows: list[JsonValue] = [_policy(policy, duty, at_ms) for policy in found.values()]
    return {"at_ms": at_ms, "escalations": rows}


def _policy(policy: Policy, duty: Duty, at_ms: int) -> Json:
    """Return a policy; ``after_s`` of a level is when it is rung if nobody answers before."""
    levels: list[JsonValue] = []
    after_ms = 0
    for level in policy.levels:
        rung = whom(level, duty, at_ms + after_ms)
        levels.append(
            {
                "people": [*level.people],
                "schedules": [*level.schedules],
                "channels": [str(target) for target in level.targets],
                "timeout_s": level.timeout_ms / 1_000,
                "after_s": after_ms / 1_000,
                "rings": [person.name for person in rung.people],
                "ways": [str(target) for target in rung.targets],
                "missing": [*rung.missing],
            }
        )
        after_ms += level.timeout_ms if rung.anybody else 0
    return {
        "name": policy.name,
        "title": policy.title,
        "levels": levels,
        "repeats": policy.repeats,
        "exhausted_after_s": after_ms * (policy.repeats + 1) / 1_000,
        "fallback": [str(target) for target in policy.fallback],
        "acknowledge_timeout_s": (
            None if policy.acknowledge_timeout_ms is None else policy.acknowledge_timeout_ms / 1_000
        ),
    }
