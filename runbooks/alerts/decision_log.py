"""The record of what became of each finding, also of those that stayed silent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, desc, func, insert, select

from anomaly.findings import Finding
from runbooks.alerts.outcomes import Decision
from runbooks.incidents.events import JsonValue
from runbooks.incidents.finding_codec import finding_from_json, finding_to_json
from runbooks.incidents.schema import DECISIONS

MAX_LISTED = 500
MAX_KEPT = 20_000


class DecisionLog:
    """Appends and lists decisions.

    Args:
        engine: The incident database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, decided: Sequence[tuple[Finding, Decision]], now_ms: int) -> None:
        """Keep decisions about findings; the oldest beyond ``MAX_KEPT`` give way."""
        rows = [
            {
                "time_ms": now_ms,
                "finding_id": finding.id[:300],
                "outcome": decision.outcome.value,
                "reason": decision.reason,
                "incident_id": decision.incident_id,
                "finding": finding_to_json(finding),
            }
            for finding, decision in decided
        ]
        if not rows:
            return
        newest = select(func.max(DECISIONS.c.id)).scalar_subquery()
        with self._engine.begin() as connection:
            connection.execute(insert(DECISIONS), rows)
            connection.execute(delete(DECISIONS).where(DECISIONS.c.id <= newest - MAX_KEPT))

    def latest(self, limit: int = MAX_LISTED) -> list[dict[str, JsonValue]]:
        """Return the newest decisions, newest first."""
        query = select(DECISIONS).order_by(desc(DECISIONS.c.id)).limit(min(limit, MAX_LISTED))
        return self._rows(query)

    def about(self, name: str, limit: int = MAX_LISTED) -> list[dict[str, JsonValue]]:
        """Return the decisions about a finding or an incident, by its id, newest first."""
        column = DECISIONS.c.incident_id if name.startswith("inc-") else DECISIONS.c.finding_id
        query = select(DECISIONS).where(column == name[:300]).order_by(desc(DECISIONS.c.id))
        return self._rows(query.limit(min(limit, MAX_LISTED)))

    def findings_since(self, time_ms: int, limit: int = MAX_LISTED) -> list[Finding]:
        """Return the findings that were decided about since, the newest first, each once."""
        query = select(DECISIONS).where(DECISIONS.c.time_ms >= time_ms)
        found: dict[str, Finding] = {}
        for row in self._rows(query.order_by(desc(DECISIONS.c.id)).limit(limit)):
            stored = row["finding"]
            if isinstance(stored, dict):
                finding = finding_from_json(stored)
                found.setdefault(finding.id, finding)
        return [*found.values()]

    def _rows(self, query: Select[Any]) -> list[dict[str, JsonValue]]:
        with self._engine.connect() as connection:
            try:
                return [dict(row) for row in connection.execute(query).mappings()]
            except ValueError:  # a row is damaged: the others are wanted
                ids = connection.scalars(query.with_only_columns(DECISIONS.c.id)).all()
                return [row for one in ids if (row := _readable(connection, one)) is not None]


def _readable(connection: Connection, row_id: int) -> dict[str, JsonValue] | None:
    try:
        row = connection.execute(select(DECISIONS).where(DECISIONS.c.id == row_id)).mappings().one()
    except ValueError:
        return None
    return dict(row)
