"""What people called noise: each mark makes its rule less sensitive, until it is withdrawn."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy import BigInteger, Column, Engine, String, Table, Text, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from anomaly.findings import Finding
from collectors.clock import Clock
from collectors.errors import ConflictError, InputError, NotFoundError, StorageError
from runbooks.incidents.schema import METADATA

NOISE = Table(
    "noise_marks",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("rule", String(300), nullable=False),
    Column("finding_id", String(300), nullable=False),
    Column("title", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("author", String(100), nullable=False),
    Column("marked_ms", BigInteger, nullable=False),
    Column("withdrawn_ms", BigInteger, nullable=True),
    Column("withdrawn_by", String(100), nullable=False, default=""),
)

MAX_OF_RULE = 8
"""Marks of one rule that are in force: with each it takes a quarter more."""

MAX_REASON = 3_000
DETECTOR = "detector/"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseMark:
    """Somebody called a finding noise.

    Attributes:
        id: Of its own.
        rule: What found it, ``detector/…``.
        finding_id: Which finding.
        title: Of the finding.
        reason: Why it is noise.
        author: Who says so.
        marked_ms: When, epoch milliseconds.
        withdrawn_ms: When it was withdrawn; None: it is in force.
        withdrawn_by: Who did.
    """

    id: str
    rule: str
    finding_id: str
    title: str
    reason: str
    author: str
    marked_ms: int
    withdrawn_ms: int | None = None
    withdrawn_by: str = ""


class Noise:
    """All marks; may be used by several threads.

    Args:
        engine: The incident database.
        clock: The present.

    Attributes:
        changed: Called after every change: rules are to be made anew.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = threading.Lock()
        self.changed: Callable[[], None] = lambda: None
        with engine.connect() as connection:
            rows = connection.execute(select(NOISE).order_by(NOISE.c.marked_ms)).mappings().all()
        self._marks = {row["id"]: NoiseMark(**row) for row in rows}

    def all(self) -> list[NoiseMark]:
        """Return every mark, the newest first."""
        return sorted(self._marks.values(), key=lambda mark: (-mark.marked_ms, mark.id))

    def times(self) -> Mapping[str, int]:
        """Return how many marks of each detector are in force, by the name of its document."""
        rules = (mark.rule for mark in self._marks.values() if mark.withdrawn_ms is None)
        return Counter(rule.removeprefix(DETECTOR) for rule in rules)

    def mark(self, finding: Finding, reason: str, author: str) -> NoiseMark:
        """Call a finding noise.

        Raises:
            InputError: There is no reason, or what found it has no threshold.
            ConflictError: It was called noise before, or its rule too often.
            StorageError: The database failed; nothing has changed.
        """
        if not reason.strip() or len(reason) > MAX_REASON:
            raise InputError(f"say why it is noise, in at most {MAX_REASON} characters")
        if not finding.rule.startswith(DETECTOR):
            raise InputError(
                f"{finding.rule[:80]!r} is no detector, and has no threshold to raise; silence it, "
                "or change its objective"
            )
        mark = NoiseMark(
            id=str(uuid4()),
            rule=finding.rule,
            finding_id=finding.id[:300],
            title=finding.title,
            reason=reason,
            author=author[:100],
            marked_ms=self._clock.now_ms(),
        )
        with self._lock:
            active = [m for m in self._marks.values() if m.withdrawn_ms is None]
            if any(m.finding_id == mark.finding_id for m in active):
                raise ConflictError(f"{finding.id[:80]!r} was called noise before")
            if sum(m.rule == mark.rule for m in active) >= MAX_OF_RULE:
                raise ConflictError(
                    f"{mark.rule} was called noise {MAX_OF_RULE} times; change its document"
                )
            self._write(mark, new=True)
        self.changed()
        return mark

    def withdraw(self, mark_id: str, by: str) -> NoiseMark:
        """Take a mark back: its rule is as sensitive as before.

        Raises:
            NotFoundError: There is no such mark.
            ConflictError: It was withdrawn before.
            StorageError: The database failed; nothing has changed.
        """
        with self._lock:
            found = self._marks.get(mark_id)
            if found is None:
                raise NotFoundError(f"there is no mark {mark_id[:64]!r}; see `tocsin noise list`")
            if found.withdrawn_ms is not None:
                raise ConflictError(f"mark {mark_id} was withdrawn by {found.withdrawn_by}")
            over = replace(found, withdrawn_ms=self._clock.now_ms(), withdrawn_by=by[:100])
            self._write(over, new=False)
        self.changed()
        return over

    def _write(self, mark: NoiseMark, *, new: bool) -> None:
        row = {column.name: getattr(mark, column.name) for column in NOISE.columns}
        statement = insert(NOISE) if new else update(NOISE).where(NOISE.c.id == mark.id)
        try:
            with self._engine.begin() as connection:
                connection.execute(statement.values(**row))
        except SQLAlchemyError as error:
            raise StorageError(f"the incident database failed: {error}") from error
        self._marks = {**self._marks, mark.id: mark}
