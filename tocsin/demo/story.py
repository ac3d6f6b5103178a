"""The story: baseline, fault, detected, paged, acknowledged, recovering, resolved, post-mortem."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from collectors.errors import TocsinError
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError, RefusedError, UnreachableError
from tocsin.client.shapes import Incident
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.client.wording import duration
from tocsin.demo.narrator import Narrator
from tocsin.demo.outcome import Outcome
from tocsin.demo.plays import Play
from tocsin.demo.pulse import in_words, pulse
from tocsin.demo.slack_buttons import press
from tocsin.demo.stage import Stage

T = TypeVar("T")
_POLL_S = 0.25


class StoryError(TocsinError):
    """The chain broke: something that had to happen did not happen in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long each chapter may take, seconds."""

    baseline_s: float
    detect_s: float
    page_s: float
    fault_after_ack_s: float
    answer_s: float | None
    recover_s: float
    quiet_s: float


QUICK = Pace(
    baseline_s=75,
    detect_s=90,
    page_s=20,
    fault_after_ack_s=5,
    answer_s=20,
    # Some 90 s until the short windows have forgotten the fault; as much again on a busy machine.
    recover_s=180,
    quiet_s=60,
)
# A person answers: no limit on that, and a longer look at the healthy platform and at the fault.
LEISURELY = Pace(
    baseline_s=120,
    detect_s=120,
    page_s=60,
    fault_after_ack_s=60,
    answer_s=None,
    recover_s=300,
    quiet_s=300,
)


@dataclass(slots=True, kw_only=True)
class Story:
    """One run through the chapters. ``outcome`` fills up as they happen.

    Without a ``play`` nothing is broken, and nothing may page.
    """

    stage: Stage
    play: Play | None
    quick: bool
    narrator: Narrator
    outcome: Outcome
    api: ApiClient
    pace: Pace = field(init=False)
    _step: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.pace = QUICK if self.quick else LEISURELY

    def tell(self) -> None:
        """Run every chapter; raise :class:`StoryError` where the chain breaks."""
        self._baseline()
        if self.play is None:
            self._stay_quiet()
            return
        self._begin(self.play)
        incident = self._detected()
        incident = self._paged(incident)
        incident = self._acknowledged(incident)
        self._end(self.play)
        incident = self._recovered(incident)
        incident = self._resolved(incident)
        self._post_mortem(incident)

    def _baseline(self) -> None:
        self.narrator.say("baseline", f"learning what is normal, {duration(self.pace.baseline_s)}")
        end_s = time.monotonic() + self.pace.baseline_s
        while (left_s := end_s - time.monotonic()) > 0:
            self.narrator.progress("baseline", f"{duration(int(left_s))} to go, {self._pulse()}")
            self._refuse_false_page()
            time.sleep(min(1.0, left_s))
        self.narrator.say("baseline", f"healthy: {self._pulse()}", "calm")

    def _stay_quiet(self) -> None:
        self.narrator.say("quiet", f"nothing is broken; watching for {duration(self.pace.quiet_s)}")
        end_s = time.monotonic() + self.pace.quiet_s
        while time.monotonic() < end_s:
            self._refuse_false_page()
            time.sleep(1.0)
        self.narrator.say("quiet", "no page: as it should be", "calm")

    def _refuse_false_page(self) -> None:
        for found in self._paging():
            self.outcome.detected_ms = float(found["opened_ms"])
            raise StoryError(
                f"false page: {found['id']} {found['title']!r} although nothing is broken"
            )

    def _begin(self, play: Play) -> None:
        self.outcome.note("before", self._rates())
        self.outcome.injected_ms = play.begin()
        self.narrator.say("fault", f"{play.name} begins on the platform", "alarm")

    def _detected(self) -> Incident:
        found = self._wait_for("detected", self.pace.detect_s, self._first_incident)
        self.outcome.detected_ms = float(found["detected_ms"] or 0)
        since_s = (self.outcome.detected_ms - (self.outcome.injected_ms or 0)) / 1_000
        text = f"{found['severity']} {found['title']} ({duration(since_s)} after injection)"
        self.narrator.say("detected", text, "alarm")
        return found

    def _first_incident(self) -> Incident | None:
        incidents = self._paging()
        return incidents[-1] if incidents else None

    def _paged(self, incident: Incident) -> Incident:
        found = self._wait_until(incident, "paged", self.pace.page_s, lambda i: bool(i["paged_ms"]))
        self.outcome.paged_ms = float(found["paged_ms"] or 0)
        where = self.stage.slack_url or "Slack"
        self.narrator.say("paged", f"message in #incidents at {where}", "alarm")
        if self.stage.dashboard_url:
            room = f"{self.stage.dashboard_url}/war_room?incident={found['id']}"
            self.outcome.urls["war_room"] = room
            self.narrator.say("war room", room, "link")
        return found

    def _acknowledged(self, incident: Incident) -> Incident:
        if self.quick:
            self._press(incident["id"], "acknowledge")
        else:
            self.narrator.say("your turn", "press Acknowledge in the war room or on the Slack page")
        found = self._wait_until(
            incident, "acknowledged", self.pace.answer_s, lambda i: bool(i["acknowledged_ms"])
        )
        self.outcome.acknowledged_ms = float(found["acknowledged_ms"] or 0)
        self.narrator.say("acknowledged", f"by {found['acknowledged_by']}", "work")
        return found

    def _press(self, incident_id: str, button: str) -> None:
        """Press a button of the Slack message; it may take a moment to appear."""
        slack = SlackPreviewClient(self.stage.slack_url or "")
        try:
            self._wait_for(
                f"a {button} button",
                self.pace.answer_s,
                lambda: press(slack, incident_id, button, "on-call") or None,
            )
        finally:
            slack.close()

    def _end(self, play: Play) -> None:
        time.sleep(self.pace.fault_after_ack_s)
        play.end(self._note_step)
        if self._step is not None:
            self.outcome.note(self._step, rates := self._rates())
            self.narrator.say("meanwhile", f"after {self._step}: {in_words(rates)}")
        self.narrator.say("recovering", f"{play.name} ended; waiting for the signals to clear")

    def _note_step(self) -> None:
        """Tell when a scenario goes on to its next step, and how the platform does just then."""
        step = self.play.step() if self.play else None
        if step is None or step == self._step:
            return
        if self._step is not None:
            # A step's effect shows at its end: that is when its successor begins.
            self.outcome.note(self._step, rates := self._rates())
            self.narrator.say("meanwhile", f"after {self._step}: {in_words(rates)}")
        self.narrator.say("scenario", step, "work")
        self._step = step

    def _recovered(self, incident: Incident) -> Incident:
        found = self._wait_until(
            incident,
            "recovering",
            self.pace.recover_s,
            lambda i: i["status"] in {"mitigated", "resolved", "closed"},
        )
        self.outcome.note("after", rates := self._rates())
        self.narrator.say("recovering", f"all signals are clear; {in_words(rates)}", "calm")
        return found

    def _resolved(self, incident: Incident) -> Incident:
        if self.quick:
            self._press(incident["id"], "resolve")
        else:
            self.narrator.say("your turn", "press Resolve; it resolves by itself in ten minutes")
        found = self._wait_until(
            incident, "resolved", self.pace.answer_s, lambda i: bool(i["resolved_ms"])
        )
        self.outcome.resolved_ms = float(found["resolved_ms"] or 0)
        self.narrator.say("resolved", f"after {duration(found['elapsed_s'])}", "calm")
        return found

    def _post_mortem(self, incident: Incident) -> None:
        def written() -> str | None:
            with contextlib.suppress(ClientError):
                return self.api.post_mortem(incident["id"], form="md") or None
            return None

        self._wait_for("post-mortem", 30, written)
        page = f"{self.stage.api_url}/api/v2/incidents/{incident['id']}/post-mortem?format=html"
        self.outcome.urls["post_mortem"] = page
        path = _post_mortem_file(self.stage.data_dir, incident["id"])
        self.outcome.post_mortem = str(path) if path else None
        self.narrator.say("post-mortem", str(path or page), "link")

    def _wait_until(
        self,
        incident: Incident,
        what: str,
        timeout_s: float | None,
        reached: Callable[[Incident], bool],
    ) -> Incident:
        def look() -> Incident | None:
            found = self.api.incident(incident["id"])
            return found if reached(found) else None

        return self._wait_for(what, timeout_s, look)

    def _wait_for(self, what: str, timeout_s: float | None, look: Callable[[], T | None]) -> T:
        start_s = time.monotonic()
        while timeout_s is None or time.monotonic() - start_s < timeout_s:
            if not self.stage.tocsin.alive:
                raise StoryError(f"tocsin ended while waiting for: {what}")
            with contextlib.suppress(UnreachableError, RefusedError):
                self._note_step()
                if (found := look()) is not None:
                    return found
            self.narrator.progress(what, f"waiting, {duration(int(time.monotonic() - start_s))}")
            time.sleep(_POLL_S)
        raise StoryError(f"no sign of {what} within {duration(timeout_s)}")

    def _paging(self) -> list[Incident]:
        """Return the incidents that wake somebody, newest first; a ticket waits for the morning."""
        with contextlib.suppress(ClientError):
            every = [self.api.incident(one["id"]) for one in self.api.incidents(state="all")]
            return [one for one in every if any(f["urgency"] == "page" for f in one["findings"])]
        return []

    def _pulse(self) -> str:
        return in_words(self._rates())

    def _rates(self) -> Mapping[str, float]:
        with contextlib.suppress(ClientError):
            return pulse(self.api)
        return {}


def _post_mortem_file(data_dir: Path, incident_id: str) -> Path | None:
    return next(iter(sorted(data_dir.rglob(f"*{incident_id}*.md"))), None)
