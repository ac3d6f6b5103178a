"""A PagerDuty on loopback: the Events API v2 with its documented limits, and what it leads to.

Source: https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MAX_BYTES, MAX_SUMMARY, KEY, MAX_DEDUP_KEY = 512 * 1024, 1024, 32, 255
SEVERITIES = {"critical", "error", "warning", "info"}


@dataclass(slots=True)
class LocalPagerDuty:
    """Alerts by their key, how often somebody was rung, and answers to give instead."""

    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    rung: list[str] = field(default_factory=list)
    answers: deque[Response] = field(default_factory=deque)
    lose: int = 0

    def clear(self) -> None:
        """Forget everything."""
        self.alerts.clear()
        self.states.clear()
        self.rung.clear()
        self.answers.clear()

    async def take(self, request: Request) -> Response:
        """Answer one event."""
        body = await request.body()
        if self.answers:
            return self.answers.popleft()
        wrong = self._wrong(body)
        if wrong:
            told = {"status": "invalid event", "message": "Event object is invalid"}
            return JSONResponse({**told, "errors": wrong}, status_code=400)
        event = json.loads(body)
        key = event["dedup_key"]
        self._apply(key, event)
        told = {"status": "success", "message": "Event processed", "dedup_key": key}
        return JSONResponse(told, status_code=202)

    def _apply(self, key: str, event: dict[str, Any]) -> None:
        action = event["event_action"]
        if action == "trigger":
            if self.states.get(key, "resolved") == "resolved":
                self.rung.append(key)
                self.states[key] = "triggered"
            self.alerts[key] = event
        elif self.states.get(key, "resolved") != "resolved":
            self.states[key] = {"acknowledge": "acknowledged", "resolve": "resolved"}[action]

    def _wrong(self, body: bytes) -> list[str]:
        if len(body) > MAX_BYTES:
            return ["event is larger than 512 KB"]
        event = json.loads(body)
        wrong = []
        if len(event.get("routing_key", "")) != KEY:
            wrong.append("'routing_key' is not 32 characters")
        if not 0 < len(event.get("dedup_key", "")) <= MAX_DEDUP_KEY:
            wrong.append("'dedup_key' is missing or too long")
        action = event.get("event_action")
        if action not in {"trigger", "acknowledge", "resolve"}:
            wrong.append("'event_action' is invalid")
        if action == "trigger":
            payload = event.get("payload", {})
            if not 0 < len(payload.get("summary", "")) <= MAX_SUMMARY:
                wrong.append("'payload.summary' is missing or longer than 1024")
            if not payload.get("source"):
                wrong.append("'payload.source' is missing or blank")
            if payload.get("severity") not in SEVERITIES:
                wrong.append("'payload.severity' is invalid")
            wrong += ["'links' is invalid" for a in event.get("links", []) if not a.get("href")]
        return wrong
