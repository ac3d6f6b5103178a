"""The client's part for runs of runbooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast
from urllib.parse import quote

from tocsin.client.response.run_shapes import Rehearsal, Run, RunSummary
from tocsin.client.transport import JsonObject, Transport, list_in

_PATH = "/api/v2/runbook-runs"


class RunsOfRunbooks:
    """What an :class:`tocsin.client.client.ApiClient` asks of runs."""

    _transport: Transport

    def runs(self, *, incident_id: str = "") -> list[RunSummary]:
        """Return the newest runs first: all, or those of one incident."""
        params = {"incident": incident_id} if incident_id else {}
        found = list_in(self._transport.get(_PATH, params), "runs", _PATH)
        return cast("list[RunSummary]", found)

    def run(self, run_id: str) -> Run:
        """Return all of one run."""
        return cast("Run", self._transport.get(f"{_PATH}/{quote(run_id, safe='')}"))

    def begin_run(
        self,
        runbook: str,
        incident_id: str,
        *,
        actor: str,
        values: Mapping[str, str] | None = None,
        reason: str = "",
    ) -> Run:
        """Begin a run.

        Raises:
            RefusedError: The incident is over, or the runbook runs for it already.
        """
        body = {**_asked(runbook, incident_id, values), "actor": actor, "reason": reason}
        return cast("Run", self._transport.post(_PATH, body))

    def rehearse_run(
        self, runbook: str, incident_id: str, *, values: Mapping[str, str] | None = None
    ) -> Rehearsal:
        """Return what a run would do; nothing is touched."""
        body = {**_asked(runbook, incident_id, values), "dry_run": True}
        return cast("Rehearsal", self._transport.post(_PATH, body))

    def decide_run(
        self, run_id: str, decision: str, *, actor: str, step: str = "", reason: str = ""
    ) -> Run:
        """Approve, retry, skip or mark a step done; abort a run or roll it back.

        Raises:
            RefusedError: The run's state does not allow it; the message says why.
        """
        body = {"decision": decision, "step": step, "actor": actor, "reason": reason}
        path = f"{_PATH}/{quote(run_id, safe='')}/decisions"
        return cast("Run", self._transport.post(path, body))


def _asked(runbook: str, incident_id: str, values: Mapping[str, str] | None) -> JsonObject:
    return {"runbook": runbook, "incident": incident_id, "values": dict(values or {})}
