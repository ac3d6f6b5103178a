"""What leads beyond one incident's state: declared in Slack, told to others, to do, silenced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.errors import InputError, QueryError
from collectors.stacklang.text.times import parse_duration_ms
from runbooks.alerts.grouping import SERVICE
from runbooks.alerts.matchers import Matcher, Op, parse_matcher, written
from runbooks.alerts.silence import Silence
from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.commands import AddTask, ChangeTask, Command, Declare, GiveUpdate, Note
from runbooks.incidents.events import EventKind
from runbooks.incidents.incident import Incident
from runbooks.incidents.states import Severity
from runbooks.notifiers.slack_layout import escape
from runbooks.slack.asker import SlackAsker, line_of
from runbooks.slack.views import declare_view, update_view
from tocsin.client.wording import duration, moment

LATELY_MS = 24 * 3_600_000
"""So long Slack may repeat a request."""


def declare(asker: SlackAsker, words: list[str]) -> str:
    """``declare [SEV2] what is wrong``; without a text by a form."""
    severity = Severity.SEV2
    if words and words[0].upper() in {known.value for known in Severity}:
        severity = Severity(words.pop(0).upper())
    if not words:
        if asker.calls is None or not asker.trigger:
            raise InputError("say what is wrong: /incident declare SEV2 nobody can log in")
        asker.calls.open_form(asker.trigger, declare_view())
        return ""
    title = " ".join(words)
    return f"Declared: {line_of(declared(asker.desk, asker.actor, asker.key, title, severity))}"


def declared(
    desk: IncidentDesk,
    actor: str,
    key: str,
    title: str,
    severity: Severity,
    text: str = "",
    scope: Mapping[str, str] | None = None,
) -> Incident:
    """Open an incident by a person's word, once for each ``key``."""
    since_ms = desk.clock.now_ms() - LATELY_MS
    for incident in desk.ledger.incidents():
        if incident.opened_ms >= since_ms and is_noted(desk, incident.id, key):
            return incident

    def commands(incident_id: str) -> Sequence[Command]:
        opened = Declare(
            incident_id=incident_id,
            title=title,
            severity=severity,
            actor=actor,
            text=text,
            scope=scope or {},
        )
        return [opened, Note(actor=actor, text="declared in Slack", data={"request": key})]

    return desk.ledger.open(commands)


def is_noted(desk: IncidentDesk, incident_id: str, key: str) -> bool:
    """Whether a request has left its note: a process killed right after takes it up again."""
    events = desk.ledger.events(incident_id)
    return any(e.kind is EventKind.NOTE and e.data.get("request") == key for e in events)


def give_update(asker: SlackAsker, words: list[str]) -> str:
    """``update [ID] text``; without a text by a form."""
    incident = asker.incident(words)
    if words:
        updated(asker.desk, incident.id, asker.actor, " ".join(words))
        return f"Told for {escape(incident.id)}."
    if asker.calls is None or not asker.trigger:
        raise InputError("say what is new: /incident update inc-0001 half of it is back")
    asker.calls.open_form(asker.trigger, update_view(incident.id))
    return ""


def updated(desk: IncidentDesk, incident_id: str, actor: str, text: str) -> None:
    """Tell those who are not in the room; the same again by the same person says nothing new."""
    given = [e for e in desk.ledger.events(incident_id) if e.kind is EventKind.UPDATE_GIVEN]
    if not given or given[-1].actor != actor or text not in given[-1].text:
        desk.execute(incident_id, GiveUpdate(text=text, actor=actor))


def task(asker: SlackAsker, words: list[str]) -> str:
    """``task [ID]`` lists, ``task [ID] add what``, ``task [ID] done t1``."""
    incident = asker.incident(words)
    verb, rest = (words[0].lower() if words else "list"), words[1:]
    if verb == "add" and rest:
        title = " ".join(rest)
        if not any(known.title == title for known in incident.tasks.values()):
            asker.desk.execute(incident.id, AddTask(title=title, actor=asker.actor))
        return f"To do for {escape(incident.id)}: {escape(title)}"
    if verb == "done" and rest:
        done = ChangeTask(task_id=rest[0].lower(), actor=asker.actor, done=True)
        asker.desk.execute(incident.id, done)
        return f"{escape(rest[0])} is done."
    if verb != "list":
        raise InputError("write /incident task add what to do, or /incident task done t1")
    lines = [
        f"`{one.id}` {'✓' if one.done_ms else '·'} {escape(one.title)} {escape(one.owner)}".rstrip()
        for one in incident.tasks.values()
    ]
    return "\n".join(lines) or f"Nothing is to be done for {escape(incident.id)}."


def silence(asker: SlackAsker, words: list[str]) -> str:
    """``silence [ID] 2h [label=value …] why``; without labels the incident's service."""
    named = [] if words and words[0][:1].isdigit() else words[:1]
    rest = words[len(named) :]
    for_ms = _length_ms(rest[0] if rest else "")
    texts = [word for word in rest[1:] if "=" in word]
    why = " ".join(word for word in rest[1:] if "=" not in word)
    matchers = [parse_matcher(text) for text in texts] or _about(asker.incident(named))
    now_ms = asker.desk.clock.now_ms()
    wanted = Silence(
        id="",
        matchers=tuple(matchers),
        starts_ms=now_ms,
        ends_ms=now_ms + for_ms,
        updated_ms=now_ms,
        author=asker.actor,
        comment=why,
    )
    for known in asker.desk.alerting.silences.active():
        if (known.matchers, known.author, known.comment) == (wanted.matchers, asker.actor, why):
            return f"Silenced already until {moment(known.ends_ms)}."
    kept = asker.desk.alerting.silences.put(wanted)
    told = f"{duration(for_ms / 1000)}: {written(kept.matchers)} ({kept.id})"
    return f"Silenced for {escape(told)}"


def _length_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except (QueryError, ValueError) as error:
        raise InputError(
            "say for how long first: /incident silence 2h service_name=playback planned work"
        ) from error


def _about(incident: Incident) -> list[Matcher]:
    services = incident.scope_values(SERVICE)
    if len(services) != 1:
        raise InputError("name what to silence: /incident silence 2h service_name=playback why")
    return [Matcher(name="service_name", op=Op.IS, value=services[0])]
