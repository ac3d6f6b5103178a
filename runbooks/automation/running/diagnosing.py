"""Diagnoses: what a runbook reads when an incident opens, before anybody is asked.

A page leaves at once. What is measured within a second is in its first message, what is measured
within ten comes by an edit of it and a line of its thread; what is not, is said to be not measured.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from collectors.clock import Clock
from runbooks.automation.allowing import Allowed
from runbooks.automation.carrying.situation import Reader, Situation
from runbooks.automation.carrying.steps import carry_out
from runbooks.automation.planning import diagnosis_values
from runbooks.automation.runbook import Runbook, Step
from runbooks.automation.state import JsonValue, Outcome, StepState
from runbooks.incidents.incident import Incident
from tocsin.client.wording import trimmed

MAX_DIAGNOSIS_MS = 10_000
"""What is not measured by then is said to be not measured in time."""

MAX_FIRST_WAIT_MS = 1_000
"""So long after its opening an incident's first message waits for its diagnosis, at most."""

MAX_AT_ONCE = 8
"""Diagnosing steps that run at the same time; further ones wait, within their deadline."""

MAX_KEPT = 200
"""Diagnoses kept in memory; older ones are read from the timeline."""

MAX_KEPT_TEXT = 1_000
"""Characters of a result in the timeline's data."""

MAX_LINE = 300
"""Characters of a result in the message; more of it is in the timeline's data."""

Spawn = Callable[[Callable[[], None]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one step found; ``state`` is ``late`` if it was not measured in time.

    ``nothing`` says that it looked for something and there is none: no news for a message;
    ``measured`` is False if there were no data.
    """

    step_id: str
    title: str
    state: str
    text: str
    nothing: bool = False
    measured: bool = True

    @property
    def line(self) -> str:
        """As people read it."""
        mark = {"failed": "✗ ", "late": "? "}.get(self.state, "")
        return trimmed(f"{mark}{self.title}: {self.text}", MAX_LINE, "…")

    def as_json(self) -> JsonValue:
        """Return it for the timeline's data."""
        return {
            "step": self.step_id,
            "title": self.title,
            "state": self.state,
            "text": trimmed(self.text, MAX_KEPT_TEXT, "…"),
            "line": self.line,
            "nothing": self.nothing,
            "measured": self.measured,
        }


@dataclass(slots=True, kw_only=True)
class Diagnosis:
    """One that is under way or done. Times are epoch milliseconds.

    Attributes:
        outcomes: What was found so far, by the step's id.
        told: Whether the timeline has it.
    """

    incident: Incident
    runbook: Runbook
    begun_ms: int
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    begun_s: float = field(default_factory=time.monotonic)
    told: bool = False

    def results(self) -> tuple[Result, ...]:
        """Return what every step found; what did not come is said, too."""
        late = "not measured in time" if self.done.is_set() else "still being measured"
        found = []
        for step in self.runbook.diagnose:
            outcome = self.outcomes.get(step.id)
            state = outcome.state.value if outcome else "late"
            text = outcome.text if outcome else late
            found.append(
                Result(
                    step_id=step.id,
                    title=step.title,
                    state=state,
                    text=text,
                    nothing=outcome is not None and outcome.data.get("nothing") is True,
                    measured=outcome is None or outcome.data.get("measured") is not False,
                )
            )
        return tuple(found)

    def wait(self) -> None:
        """Wait for its end, but not for longer after its beginning than a page may."""
        left_s = self.begun_s + MAX_FIRST_WAIT_MS / 1000 - time.monotonic()
        if left_s > 0:
            self.done.wait(left_s)


class Diagnoser:
    """Runs the reading part of runbooks.

    Args:
        metrics: Evaluates expressions.
        clock: The present.
        allowed: Returns what steps may reach.
        spawn: Has steps done beside.
        wake: Asks for a turn soon.
    """

    def __init__(
        self,
        metrics: Reader,
        clock: Clock,
        *,
        allowed: Callable[[], Allowed],
        spawn: Callable[[], Spawn],
        wake: Callable[[], None],
    ) -> None:
        self._metrics = metrics
        self._clock = clock
        self._allowed = allowed
        self._spawn = spawn
        self._wake = wake
        self._slots = threading.BoundedSemaphore(MAX_AT_ONCE)
        self._kept: dict[str, Diagnosis] = {}

    def begin(self, incident: Incident, runbook: Runbook) -> None:
        """Begin a diagnosis; returns at once."""
        diagnosis = Diagnosis(incident=incident, runbook=runbook, begun_ms=self._clock.now_ms())
        self._kept.pop(incident.id, None)
        self._kept[incident.id] = diagnosis
        if len(self._kept) > MAX_KEPT:
            self._kept.pop(next(iter(self._kept))).cancelled.set()
        for step in runbook.diagnose:
            self._spawn()(self._work(diagnosis, step))

    def of(self, incident_id: str) -> Diagnosis | None:
        """Return the latest diagnosis of an incident that is kept in memory."""
        return self._kept.get(incident_id)

    def due(self) -> list[Diagnosis]:
        """Return those that have ended and are not told yet; what is late is given up."""
        found = []
        for diagnosis in [*self._kept.values()]:
            if self._clock.now_ms() - diagnosis.begun_ms >= MAX_DIAGNOSIS_MS:
                diagnosis.cancelled.set()
                diagnosis.done.set()
            if diagnosis.done.is_set() and not diagnosis.told:
                found.append(diagnosis)
        return found

    def look(self, diagnosis: Diagnosis, step_id: str) -> Outcome:
        """Do one of its steps again, in the caller's thread."""
        step = next(one for one in diagnosis.runbook.diagnose if one.id == step_id)
        return carry_out(self._bounded(step, diagnosis), self._situation(diagnosis))

    def cancel(self) -> None:
        """Tell all that runs to end: the process does."""
        for diagnosis in [*self._kept.values()]:
            diagnosis.cancelled.set()

    def _work(self, diagnosis: Diagnosis, step: Step) -> Callable[[], None]:
        def work() -> None:
            if not self._slots.acquire(timeout=MAX_DIAGNOSIS_MS / 1000):
                return
            try:
                if diagnosis.done.is_set():
                    return
                situation = self._situation(diagnosis)
                outcome = carry_out(self._bounded(step, diagnosis), situation)
            except Exception as error:  # noqa: BLE001 - a defect is a result, too: it must be told
                text = f"unexpectedly: {type(error).__name__}: {error}"
                outcome = Outcome(state=StepState.FAILED, text=text)
            finally:
                self._slots.release()
            if not diagnosis.done.is_set():
                diagnosis.outcomes[step.id] = outcome
            if len(diagnosis.outcomes) == len(diagnosis.runbook.diagnose):
                diagnosis.done.set()
                self._wake()
            elif diagnosis.runbook.suppress and diagnosis.runbook.suppress.step == step.id:
                self._wake()

        return work

    def _bounded(self, step: Step, diagnosis: Diagnosis) -> Step:
        """Return a step that ends with the diagnosis."""
        left_ms = diagnosis.begun_ms + MAX_DIAGNOSIS_MS - self._clock.now_ms()
        return replace(step, timeout_ms=max(1, min(step.timeout_ms, left_ms)))

    def _situation(self, diagnosis: Diagnosis) -> Situation:
        return Situation(
            incident=diagnosis.incident,
            values=diagnosis_values(diagnosis.runbook, diagnosis.incident),
            allowed=self._allowed(),
            metrics=self._metrics,
            now_ms=self._clock.now_ms,
            cancelled=diagnosis.cancelled,
        )


def news(rows: Sequence[JsonValue]) -> tuple[str, ...]:
    """Return what a message says of results: what had no data stands in one line at the end."""
    known = [row for row in rows if isinstance(row, dict) and not row.get("nothing")]
    lines = [str(row["line"]) for row in known if row.get("measured") is not False]
    without = [str(row["title"]) for row in known if row.get("measured") is False]
    if without:
        lines.append(trimmed(f"not measured: {', '.join(without)}", MAX_LINE, "…"))
    return tuple(lines)


def words(results: Sequence[Result]) -> str:
    """Return a diagnosis as a text of the timeline."""
    return "\n".join(["diagnosis:", *(f"    {result.line}" for result in results)])
