"""``/incident``: one command with subcommands; each answers with what only who asked sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from collectors.errors import InputError
from runbooks.incidents.commands import Acknowledge, Assign, Note, SetSeverity, SetStatus, SetStep
from runbooks.incidents.incident import StepState
from runbooks.incidents.states import Role, Severity, Status
from runbooks.notifiers.slack_interactions import FROM_SLACK
from runbooks.notifiers.slack_layout import escape
from runbooks.oncall.rights import person_of
from runbooks.slack.asker import MAX_LISTED, SlackAsker, line_of
from runbooks.slack.planning import declare, give_update, is_noted, silence, task
from runbooks.slack.views import resolve_view
from tocsin.client.wording import moment

_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^>]*)?>")


Subcommand = Callable[[SlackAsker, list[str]], str]


def answered(asker: SlackAsker, text: str) -> str:
    """Carry out ``text``, what follows ``/incident``; return the answer in Slack's markup.

    Raises:
        TocsinError: It is not possible; the message says why.
    """
    name, *words = text.split() or ["help"]
    subcommand = SUBCOMMANDS.get(name.lower())
    if subcommand is None:
        return f"There is no `{escape(name[:50])}`.\n{_help(asker, [])}"
    return subcommand[1](asker, words)


def _help(asker: SlackAsker, words: list[str]) -> str:
    del asker, words
    lines = [f"`/incident {name} {usage}`".replace(" `", "`") for name, (usage, _) in _LISTED]
    return "\n".join([*lines, "Without an id: the war room's incident, or the only open one."])


def _list(asker: SlackAsker, words: list[str]) -> str:
    del words
    found = [incident for incident in asker.desk.ledger.incidents() if incident.is_open]
    if not found:
        return "No incident is open."
    lines = [line_of(incident) for incident in found[:MAX_LISTED]]
    more = len(found) - MAX_LISTED
    return "\n".join([*lines, *([f"… and {more} more"] if more > 0 else [])])


def _status(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    if words and words[0].lower() in {status.value for status in Status}:
        status = Status(words.pop(0).lower())
        command = SetStatus(status=status, actor=asker.actor, text=" ".join(words))
        return line_of(asker.desk.execute(incident.id, command))
    if words:
        raise InputError(f"{words[0][:50]!r} is none of {', '.join(Status)}")
    card = asker.desk.card(incident.id)
    fields = [f"*{escape(name)}* {escape(value)}" for name, value in card.fields]
    called = [escape(card.called.words)] if card.called else []
    return "\n".join([line_of(incident), *called, *fields])


def _ack(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    return f"Yours: {line_of(asker.desk.execute(incident.id, Acknowledge(actor=asker.actor)))}"


def _resolve(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    if not words and asker.calls is not None and asker.trigger:
        asker.calls.open_form(asker.trigger, resolve_view(incident.id))
        return ""
    command = SetStatus(status=Status.RESOLVED, actor=asker.actor, text=" ".join(words))
    return line_of(asker.desk.execute(incident.id, command))


def _sev(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    asked = (words.pop(0) if words else "").upper()
    asked = f"SEV{asked}" if asked.isdigit() else asked
    if asked not in {severity.value for severity in Severity}:
        raise InputError(f"{asked[:20]!r} is none of {', '.join(Severity)}")
    command = SetSeverity(severity=Severity(asked), actor=asker.actor, text=" ".join(words))
    return line_of(asker.desk.execute(incident.id, command))


def _note(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    if not words:
        raise InputError("a note needs a text: /incident note looking at the database")
    if not is_noted(asker.desk, incident.id, asker.key):
        note = Note(actor=asker.actor, text=" ".join(words), data={"request": asker.key})
        asker.desk.execute(incident.id, note)
    return f"Noted on {escape(incident.id)}."


def _role(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    role = (words.pop(0) if words else "").lower()
    if role not in {known.value for known in Role}:
        raise InputError(f"{role[:50]!r} is none of {', '.join(Role)}; then who, such as @ana")
    person = person_in(" ".join(words)) or asker.actor
    known = person_of(asker.desk.duty.people.values(), person.removeprefix(FROM_SLACK))
    person = known.name if known else person
    asker.desk.execute(incident.id, Assign(role=Role(role), person=person, actor=asker.actor))
    return f"{escape(person)} is {role} of {escape(incident.id)}."


def person_in(text: str) -> str:
    """Return whom ``text`` names: a member of the workspace by id, or a name.

    >>> person_in("<@U01ABC|ana>"), person_in("Ana Silva")
    ('slack:U01ABC', 'Ana Silva')
    """
    mentioned = _MENTION.search(text)
    return f"{FROM_SLACK}{mentioned[1]}" if mentioned else text.strip()[:80]


def _oncall(asker: SlackAsker, words: list[str]) -> str:
    del words
    duty, now_ms = asker.desk.duty, asker.desk.clock.now_ms()
    lines = []
    for name in sorted(duty.schedules):
        found = duty.at(name, now_ms)
        if found is None:
            continue
        until = f" until {moment(found.until_ms)}" if found.until_ms else ""
        who = found.person.name if found.person else "NOBODY"
        lines.append(f"*{escape(found.schedule.title)}*: {escape(who)}{until}")
    return "\n".join(lines) or "There is no schedule; write one below oncall/."


def _runbook(asker: SlackAsker, words: list[str]) -> str:
    incident = asker.incident(words)
    if incident.runbook is None:
        return f"No runbook is proposed for {escape(incident.id)}."
    steps = incident.runbook.steps
    if len(words) > 1 and words[0].lower() in {state.value for state in StepState}:
        state, step_id = StepState(words[0].lower()), words[1]
        command = SetStep(step_id=step_id, state=state, actor=asker.actor)
        asker.desk.execute(incident.id, command)
        return f"{escape(step_id)} is {state}."
    lines = [f"`{escape(step_id)}` {state}" for step_id, state in steps.items()]
    return "\n".join([f"*{escape(incident.runbook.title)}*", *lines])


SUBCOMMANDS: Mapping[str, tuple[str, Subcommand]] = {
    "declare": ("[SEV1…4] [what is wrong]", declare),
    "list": ("", _list),
    "status": ("[ID] [investigating|identified|mitigated|resolved]", _status),
    "ack": ("[ID]", _ack),
    "resolve": ("[ID] [what ended it]", _resolve),
    "sev": ("[ID] SEV1…4 [why]", _sev),
    "role": ("[ID] commander|scribe|liaison @person", _role),
    "note": ("[ID] text", _note),
    "update": ("[ID] [what others should know]", give_update),
    "task": ("[ID] [add what | done t1]", task),
    "silence": ("[ID] 2h [label=value …] why", silence),
    "runbook": ("[ID] [done|skipped STEP]", _runbook),
    "oncall": ("", _oncall),
    "help": ("", _help),
}
"""By name: what may follow, and what it does."""

_LISTED = tuple(SUBCOMMANDS.items())
