"""The made-up incident as the API tells it: timeline, runbook, traces, Slack messages."""

from __future__ import annotations

from dashboards.testing import response
from dashboards.testing.synthetic import (
    INCIDENT_ID,
    SLOW_TRACE_ID,
    TRACE_ID,
    JsonObject,
    World,
    finding,
    line_kind,
    near_change,
)


def summary(world: World) -> JsonObject:
    """Return the incident's row of the list."""
    resolved_ms = world.at(1) if world.is_over else None
    acknowledged = world.at(4.2) if world.acknowledged_by else None
    return {
        "id": INCIDENT_ID,
        "title": "Stream starts fell in us-east-1 (synthetic)",
        "severity": world.severity,
        "status": world.status,
        "opened_ms": world.at(4.83),
        "acknowledged_ms": acknowledged,
        "resolved_ms": resolved_ms,
        "elapsed_s": ((resolved_ms or world.now_ms) - world.at(4.83)) / 1000,
        "scope": {"cloud.region": "us-east-1"},
        "open_tasks": 1,
        "overdue_tasks": 0,
    }


def why(world: World) -> JsonObject:
    """Return the path of what was sent of the incident, and of what was not."""
    opens = {"stage": "grouping", "text": "opens: no related incident is open", "stops": False}
    mute = {"stage": "interval", "text": "route 'payments' is mute: it is 'night'", "stops": True}
    return {
        "id": INCIDENT_ID,
        "path": [{**opens, "time_ms": world.at(4.83)}, {**mute, "time_ms": None}],
    }


def notifications(world: World) -> list[JsonObject]:
    """Return who was told of the incident, and who was not."""
    return [
        {
            "id": 1,
            "channel": "slack:incidents",
            "action": "open",
            "state": "sent",
            "created_ms": world.at(4.83),
            "sent_ms": world.at(4.81),
            "attempts": 1,
            "reason": "",
        },
        {
            "id": 2,
            "channel": "slack:payments",
            "action": "open",
            "state": "suppressed",
            "created_ms": world.at(4.83),
            "sent_ms": None,
            "attempts": 0,
            "reason": "grouped with the page above: same cause",
        },
    ]


def incident(world: World) -> JsonObject:
    """Return everything about the incident."""
    return summary(world) | {
        "impact_start_ms": world.impact_start_ms,
        "impact": [
            {"start_ms": world.impact_start_ms, "end_ms": world.at(1) if world.is_over else None}
        ],
        "detected_ms": world.at(4.83),
        "paged_ms": world.at(4.81),
        "mitigated_ms": world.at(1.5) if world.is_over else None,
        "acknowledged_by": world.acknowledged_by,
        "on_call": "On call: Ana Silva (Playback, until 2026-12-07 09:00:00 UTC)",
        "diagnosis": [
            {
                "step": "error-share",
                "title": "Share of errors",
                "state": "succeeded",
                "text": "0.78",
                "line": "Share of errors: 0.78",
                "nothing": False,
                "measured": True,
            }
        ],
        "escalation": None,
        "commander": None,
        "summary": "Stream starts in us-east-1 are 78 % below what is expected since about five "
        "minutes ago; playback answers 503 there. eu-west-1 is well.",
        "services": ["playback", "gateway"],
        "regions": ["us-east-1"],
        "findings": [finding(world)],
        "timeline": timeline(world),
        "runbook": proposed(world),
        "exemplar_trace_ids": [TRACE_ID, SLOW_TRACE_ID],
        "lines": [line_kind(world)] if world.heard else [],
        "near_changes": [near_change(world)],
        "more_findings": [
            {
                "rule": "slo/starts/page-fast",
                "title": "Starts of a user",
                "firing": 974,
                "seen": 975,
            }
        ],
        "notifications": notifications(world),
        "charts": [
            {
                "title": "Playback errors",
                "expr": "name,http.server.request.duration,:eq,service.name,playback,:eq,:and,:sum",
                "unit": "ratio",
            }
        ],
        "post_mortem": f"/api/v2/incidents/{INCIDENT_ID}/post-mortem" if world.is_over else None,
        **response.progress(world),
    }


def timeline(world: World) -> list[JsonObject]:
    """Return what happened so far."""
    told = [
        (world.at(4.83), "incident_opened", "tocsin", "Opened by detector/sps in us-east-1"),
        (world.at(4.82), "finding_attached", "tocsin", finding(world)["title"]),
        (world.at(4.82), "runbook_proposed", "tocsin", "Proposed region-evacuation"),
        (world.at(4.81), "notification_sent", "tocsin", "Paged #incidents through Slack"),
    ]
    if world.acknowledged_by:
        told.append((world.at(4.2), "acknowledged", world.acknowledged_by, "Acknowledged"))
    told += [(world.now_ms, "note", actor, text) for actor, text in world.notes]
    if world.is_over:
        told.append((world.at(1.5), "mitigated", "tocsin", "Stream starts are back"))
        told.append((world.at(1), "resolved", "tocsin", "Resolved: all signals are quiet"))
    told += [(world.now_ms, "pinned", "Ada", f"event {number} pinned") for number in world.pins]
    return [
        {
            "seq": i,
            "time_ms": t,
            "kind": kind,
            "actor": actor,
            "text": text,
            "data": {"event": int(text.split()[1])} if kind == "pinned" else {},
            "link": f"http://127.0.0.1:8501/war_room?incident={INCIDENT_ID}&event={i}",
        }
        for i, (t, kind, actor, text) in enumerate(told, start=1)
    ]


_STEPS = (
    (
        "confirm",
        "Confirm that one region suffers alone",
        "query",
        "us-east-1 at 22 % of its baseline, eu-west-1 at 101 %",
    ),
    (
        "shift",
        "Move new sessions to the healthy region",
        "action",
        "Changes production: needs an approval",
    ),
    ("watch", "Watch stream starts recover", "query", ""),
)


def runbook() -> JsonObject:
    """Return the runbook that the library has."""
    return {
        "name": "region-evacuation",
        "title": "Take traffic out of a region",
        "summary": "A region suffers alone: its viewers are better served elsewhere.",
        "inputs": [{"name": "region", "pattern": "[a-z0-9-]+", "default": "{cloud.region}"}],
        "steps": [
            {
                "id": step_id,
                "title": title,
                "kind": kind,
                "detail": detail,
                "query": "name,stream.starts,:eq,:sum" if step_id == "watch" else None,
                "command": None,
            }
            for step_id, title, kind, detail in _STEPS
        ],
    }


def proposed(world: World) -> JsonObject:
    """Return the runbook as the incident proposes it, with how far each step is."""
    found = runbook()
    del found["summary"], found["inputs"]
    watched = "done" if "watch" in world.steps_done else "open"
    for step, state in zip(found["steps"], ("done", "needs_approval", watched), strict=True):
        step["state"] = state
    return found | {"why": "stream starts fell in one region only"}


def trace(world: World, trace_id: str) -> JsonObject:
    """Return a trace of a failed (or a slow) attempt to start a stream."""
    failed = trace_id == TRACE_ID
    spans = [
        ("a1", None, "viewers", "start stream", (0.0, 148.0), (4.5, 4.5), failed),
        ("b2", 0, "gateway", "POST /v1/play", (2.0, 143.5), (5.4, 36.5), failed),
        ("c3", 1, "auth", "POST /verify", (3.1, 9.4), (9.4, None), False),
        ("d4", 1, "catalogue", "GET /titles/{id}", (13.0, 21.7), (21.7, None), False),
        ("e5", 1, "playback", "POST /sessions", (36.2, 107.0), (11.0, 11.0), failed),
        ("f6", 4, "edge", "GET /manifest", (41.0, 96.0), (96.0, 96.0), failed),
    ]
    return {
        "trace_id": trace_id,
        "start_ms": world.at(3),
        "duration_ms": 148.0,
        "dropped_spans": 0,
        "spans": [
            {
                "span_id": span_id,
                "parent_span_id": "" if parent is None else spans[parent][0],
                "parent": parent,
                "service": service,
                "name": name,
                "kind": "server",
                "status": "error" if error else "ok",
                "status_message": "no licence server answers" if error else "",
                "offset_ms": offset,
                "duration_ms": length,
                "self_ms": own,
                "critical_ms": critical,
                "attributes": {"cloud.region": "us-east-1"},
                "resource": {"service.name": service},
                "events": [],
            }
            for span_id, parent, service, name, (offset, length), (own, critical), error in spans
        ],
    }


def services() -> JsonObject:
    """Return who calls whom."""
    calls = [
        ("viewers", "gateway", 21_900, 2_100, 30.0, 410.0),
        ("gateway", "auth", 21_800, 0, 6.0, 14.0),
        ("gateway", "catalogue", 14_100, 12, 12.0, 35.0),
        ("gateway", "recommendations", 9_000, 60, 20.0, 88.0),
        ("gateway", "playback", 7_200, 2_040, 45.0, 390.0),
        ("playback", "edge", 7_100, 1_900, 40.0, 350.0),
    ]
    edges = [
        {"client": c, "server": s, "calls": n, "errors": e, "p50_ms": p50, "p99_ms": p99}
        for c, s, n, e, p50, p99 in calls
    ]
    return {"services": sorted({name for c, s, *_ in calls for name in (c, s)}), "edges": edges}


def slack_channels(world: World) -> list[JsonObject]:
    """Return the channels of the local Slack server."""
    quiet: list[JsonObject] = []
    if world.status is None:
        return [
            {
                "id": "C1",
                "name": "incidents",
                "topic": "",
                "archived": False,
                "members": [],
                "pins": [],
                "bookmarks": [],
                "messages": quiet,
            }
        ]
    ts = f"{world.at(4.81) / 1000:.6f}"
    reply: JsonObject = {
        "ts": f"{world.at(4.8) / 1000:.6f}",
        "user": "tocsin",
        "text": "Evidence: `9.4/s` against *42.6/s*",
        "blocks": quiet,
        "attachments": quiet,
        "edited_ts": None,
        "reactions": {},
        "thread": quiet,
    }
    message: JsonObject = {
        "ts": ts,
        "user": "tocsin",
        "text": "SEV1 Stream starts fell in us-east-1",
        "blocks": _slack_blocks(world),
        "attachments": quiet,
        "edited_ts": ts if world.acknowledged_by else None,
        "reactions": {},
        "thread": [reply],
    }
    return [
        {
            "id": "C1",
            "name": "incidents",
            "topic": "",
            "archived": False,
            "members": [],
            "pins": [],
            "bookmarks": [],
            "messages": [message],
        }
    ]


def _slack_blocks(world: World) -> list[JsonObject]:
    fields = ("*Severity*\n" + world.severity, f"*Status*\n{world.status}")
    return [
        {
            "type": "header",
            "text": {
                "type": "plain_text",
                "text": ":rotating_light: Stream starts fell (synthetic)",
            },
        },
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "us-east-1 is *78 %* below what is expected"},
            "fields": [{"type": "mrkdwn", "text": text} for text in fields],
        },
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": "rule `detector/sps` · <http://a.test|graph>"}],
        },
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Acknowledge"},
                    "action_id": "acknowledge",
                    "style": "primary",
                    "value": INCIDENT_ID,
                },
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Resolve"},
                    "action_id": "resolve",
                    "confirm": {
                        "title": {"type": "plain_text", "text": "Resolve the incident?"},
                        "text": {"type": "mrkdwn", "text": "It ends for *everybody*."},
                        "confirm": {"type": "plain_text", "text": "Yes, resolve"},
                        "deny": {"type": "plain_text", "text": "Not yet"},
                    },
                    "value": INCIDENT_ID,
                },
            ],
        },
    ]
