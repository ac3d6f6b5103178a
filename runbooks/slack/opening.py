"""The room put together: what a desk needs to answer people in Slack."""

from __future__ import annotations

from runbooks.desk.desk import IncidentDesk
from runbooks.incidents.incident import Incident
from runbooks.notifiers.slack import SlackParameters
from runbooks.notifiers.slack_interactions import FROM_SLACK
from runbooks.slack.calls import SlackCalls
from runbooks.slack.inbox import SlackInbox
from runbooks.slack.listening import SlackListening
from runbooks.slack.rooms import SlackRooms
from runbooks.slack.socket_mode import SlackSocket
from runbooks.slack.war_rooms import WarRooms


def answer_slack(desk: IncidentDesk, slack: SlackParameters) -> None:
    """Let the desk answer what people ask in Slack, if Slack is set up; before the desk starts.

    War rooms are kept if they are wanted, and over Socket Mode is heard if there is an app token.
    """
    if slack.bot_token is None:
        return
    token = slack.bot_token.get_secret_value()
    desk.slack = inbox = SlackInbox(desk)
    rooms = _war_rooms(desk, slack, token)
    inbox.use(SlackCalls(token, slack.base_url), rooms.incident_of if rooms else None)
    if slack.app_token is not None:
        socket = SlackSocket(slack.app_token.get_secret_value(), slack.base_url, inbox.take)
        listening = SlackListening(socket, desk.faults, desk.clock)
        desk.add_work("tocsin-slack-socket", listening.work, always=True).request()
        desk.ends.append(listening.close)


def _war_rooms(desk: IncidentDesk, slack: SlackParameters, token: str) -> WarRooms | None:
    if slack.war_room is None:
        return None
    kept = WarRooms(
        SlackRooms(token, slack.base_url),
        slack.war_room,
        ledger=desk.ledger,
        engine=desk.engine,
        card=desk.card,
        called=lambda incident: _called(desk, incident),
        member_of=lambda person: _member(desk, person),
        faults=desk.faults,
        clock=desk.clock,
    )
    desk.add_work("tocsin-war-rooms", kept.work)
    return kept


def _called(desk: IncidentDesk, incident: Incident) -> str:
    called = desk.called(incident)
    return called.slack if called else ""


def _member(desk: IncidentDesk, person: str) -> str:
    if person.startswith(FROM_SLACK):
        return person.removeprefix(FROM_SLACK)
    known = desk.duty.people.values()
    return next((one.slack for one in known if person in {one.name, one.id}), "")
