"""Runs begin and end in the transaction of what begins and ends them: an opening, an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from runbooks.escalation import store
from runbooks.escalation.course import LAPSE, Step, first
from runbooks.escalation.policy import Policy
from runbooks.escalation.store import Run, RunState
from runbooks.incidents.events import MACHINE, Event, EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import IMPACTED_STATUSES
from runbooks.paging.ringing import ring_reason

PolicyOf = Callable[[Incident], Policy | None]
_OWN = frozenset({EventKind.ESCALATED, EventKind.RUNG_AGAIN})
_LIVE = frozenset({RunState.RUNNING, RunState.EXHAUSTED})


def rings(incident: Incident) -> bool:
    """Whether somebody has to be rung until somebody answers."""
    return incident.acknowledged_by is None and incident.pages


def keep(
    connection: Connection,
    before: Incident | None,
    incident: Incident,
    events: Sequence[Event],
    policy_of: PolicyOf,
) -> None:
    """Write what events mean for the escalation of their incident.

    Args:
        connection: Of the transaction of the events.
        before: The incident before them; None when they open it.
        incident: The incident now.
        events: What just happened, in order; at least one.
        policy_of: Returns the policy that an incident has now, if any.

    Raises:
        ConflictError: One of the events is a step that is not due any longer.
    """
    now_ms = events[-1].time_ms
    for event in events:
        if event.kind is EventKind.ESCALATED and "generation" in event.data:
            _taken(connection, event)
    run = store.latest_run(connection, incident.id)
    if not rings(incident):
        _quiet(connection, run, incident, events, now_ms)
        return
    policy = policy_of(incident)
    if policy is None:
        return
    reason = ring_reason(before, incident, [e for e in events if e.kind not in _OWN])
    if _begins(run, before, incident, policy, reason, events):
        lapsed = any(event.data.get("lapsed") is True for event in events)
        rung = before is None or bool(reason) or lapsed
        store.begin(connection, incident.id, policy, first(now_ms), rung=rung)


def _taken(connection: Connection, event: Event) -> None:
    """``generation``, ``step``, ``called``, ``next`` (None: there is none), ``exhausted``."""
    number, generation = _integer(event.data["step"]), _integer(event.data["generation"])
    store.take(connection, event.incident_id, generation, number, event.time_ms)
    run = store.latest_run(connection, event.incident_id)
    called, following = event.data.get("called"), event.data.get("next")
    if run is None:
        return
    if isinstance(called, Mapping):
        store.call(connection, run, called)
    if isinstance(following, Mapping):
        step = Step(
            number=_integer(following["number"]),
            due_ms=_integer(following["due_ms"]),
            empty=_integer(following["empty"]),
        )
        store.put_step(connection, event.incident_id, generation, step)
    if event.data.get("exhausted") is True:
        store.end(connection, run, RunState.EXHAUSTED, event.time_ms)


def _quiet(
    connection: Connection,
    run: Run | None,
    incident: Incident,
    events: Sequence[Event],
    now_ms: int,
) -> None:
    """Stop what runs; mind whether something comes of an acknowledgement."""
    if run is None or run.state is RunState.STOPPED:
        return
    if incident.acknowledged_by is None or incident.status not in IMPACTED_STATUSES:
        store.end(connection, run, RunState.STOPPED, now_ms)
        return
    timeout_ms = run.policy.acknowledge_timeout_ms
    if run.state in _LIVE:
        store.end(connection, run, RunState.ACKNOWLEDGED, now_ms)
        if timeout_ms is not None:
            lapse = Step(number=LAPSE, due_ms=now_ms + timeout_ms)
            store.put_step(connection, incident.id, run.generation, lapse)
    elif timeout_ms is not None and any(event.actor != MACHINE for event in events):
        store.put_off_lapse(connection, run, now_ms + timeout_ms)


def _begins(
    run: Run | None,
    before: Incident | None,
    incident: Incident,
    policy: Policy,
    reason: str,
    events: Sequence[Event],
) -> bool:
    """Whether a run begins.

    A further finding does not begin anew what runs: a storm would keep the next level from ever
    being rung. Being worse than thought, or back, does.
    """
    if run is None or run.state not in _LIVE:
        return True
    if run.state is RunState.EXHAUSTED:
        return bool(reason)
    worse = before is not None and incident.severity.rank < before.severity.rank
    back = any(event.kind is EventKind.REOPENED for event in events)
    return worse or back or run.policy.name != policy.name


def _integer(value: object) -> int:
    return int(value) if isinstance(value, int | float) else 0
