"""What a person sees between a click and the server's answer: at once, and never as a fact."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Event
from typing import Any, cast

import pytest

from dashboards.panels.acting import intents
from dashboards.panels.acting.intents import Intent, State
from dashboards.panels.acting.sending import Sender
from tocsin.client.errors import RefusedError, UnreachableError
from tocsin.client.shapes import Incident

NOW = 1_700_000_000_000


def incident(**more: Any) -> Incident:
    found: dict[str, Any] = {
        "id": "inc-1",
        "status": "triage",
        "severity": "SEV3",
        "acknowledged_ms": None,
        "acknowledged_by": None,
        "resolved_ms": None,
        "commander": None,
        "roles": {},
        "timeline": [{"seq": 1}],
    }
    return cast("Incident", found | more)


def asked(command: str, value: str = "", **more: Any) -> Intent:
    return Intent(
        what=command, asked_ms=NOW, incident_id="inc-1", command=command, value=value, who="Ana",
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("intent", "seen"),
    [
        (
            asked("acknowledge"),
            {"acknowledged_by": "Ana", "acknowledged_ms": NOW, "status": "investigating"},
        ),
        (asked("acknowledge"), {"commander": "Ana"}),
        (asked("set_severity", "SEV1"), {"severity": "SEV1"}),
        (asked("set_status", "identified"), {"status": "identified"}),
        (asked("resolve"), {"status": "resolved", "resolved_ms": NOW}),
        (asked("decline"), {"status": "declined"}),
        (asked("assign", "scribe:Ben"), {"roles": {"scribe": "Ben"}, "commander": None}),
        (asked("assign", "commander:"), {"roles": {"commander": "Ana"}, "commander": "Ana"}),
        (asked("note"), {"status": "triage"}),
        (asked("acknowledge", state=State.REFUSED), {"acknowledged_by": None}),
        (asked("acknowledge", state=State.UNANSWERED), {"acknowledged_by": None}),
    ],
)
def test_what_is_asked_lies_over_what_is_known(intent: Intent, seen: dict[str, object]) -> None:
    """What is open shows at once; what was refused, or never answered, has left no trace."""
    before = incident()
    shown = intents.seen(before, [intent])
    assert {key: cast("dict[str, object]", shown)[key] for key in seen} == seen
    assert before == incident()


def test_another_incident_is_left_as_it_is() -> None:
    """Whoever answers two outages must not see one's acknowledgement at the other."""
    assert intents.seen(incident(id="inc-2"), [asked("acknowledge")]) == incident(id="inc-2")


def test_an_answer_counts_until_the_page_has_read_as_much() -> None:
    """Between the answer and the next reading the page would fall back to what was before."""
    answer = dict(incident(status="investigating", timeline=[{"seq": 1}, {"seq": 2}]))
    confirmed = asked("acknowledge", state=State.CONFIRMED, answer=answer)
    assert intents.seen(incident(), [confirmed])["status"] == "investigating"
    newer = incident(status="resolved", timeline=[{"seq": 3}])
    assert intents.seen(newer, [confirmed])["status"] == "resolved"
    assert [intents.stands(confirmed, one) for one in (incident(), newer)] == [False, True]


@pytest.mark.parametrize(
    ("state", "reason", "now_ms", "line"),
    [
        (State.OPEN, "", NOW + 900, "acknowledged by you · being confirmed"),
        (State.OPEN, "", NOW + 4_200, "acknowledged by you · being confirmed for 4 s"),
        (State.CONFIRMED, "", NOW, "acknowledge: done"),
        (State.REFUSED, "ben was faster", NOW, "acknowledge was refused: ben was faster. It is "),
        (State.UNANSWERED, "No.", NOW, "acknowledge: not known whether it was done. No."),
    ],
)
def test_lines_say_no_more_than_is_known(state: State, reason: str, now_ms: int, line: str) -> None:
    """Done is said when the server has said so; a silent server may have done it or not."""
    intent = asked("acknowledge", state=state, reason=reason)
    assert intents.line(intent, now_ms).startswith(line)


def settled(call: Any) -> tuple[Intent, list[str]]:
    sender, told = Sender(at_once=1), list[str]()
    one = sender.send(asked("acknowledge"), call, lambda: told.append("forget"))
    found = one.answered.result(10)
    sender.stop()
    return found, told


def refused() -> object:
    raise RefusedError("ben was faster", status=409)


def silent() -> object:
    raise UnreachableError("no answer within 20 s.")


@pytest.mark.parametrize(
    ("call", "state"),
    [(dict, State.CONFIRMED), (refused, State.REFUSED), (silent, State.UNANSWERED)],
)
def test_whatever_comes_of_it_the_feed_asks_anew(call: Any, state: State) -> None:
    """A refusal, too, means that the page was behind; a lost answer all the more."""
    found, told = settled(call)
    assert (found.state, told) == (state, ["forget"])


def test_too_much_at_once_is_refused_and_not_queued_for_ever() -> None:
    """A page that hangs must not send a hundred clicks when the server is back."""
    sender, gate = Sender(at_once=1, waiting=2), Event()
    first = [sender.send(asked("note"), gate.wait, lambda: None) for _ in range(2)]
    third = sender.send(asked("note"), gate.wait, lambda: None)
    assert third.now.state is State.REFUSED
    assert "too much is being sent" in third.now.reason
    gate.set()
    assert [one.answered.result(10).state for one in first] == [State.CONFIRMED] * 2
    assert isinstance(third.answered, Future)
    sender.stop()
