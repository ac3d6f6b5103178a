"""What bounds what people are told, and what they answer."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

NOTIFIERS: Final = (
    Bound("runbooks.notifiers.card:MAX_SAID", "of the words of who declared, in the message", "cut short"),
    Bound("runbooks.notifiers.card:MAX_PAST", "similar past incidents linked in the message", "see the war room"),
    Bound("runbooks.notifiers.card:MAX_SCOPE", "tags of a card", "the first are shown"),
    Bound("runbooks.notifiers.http_posting:MAX_RETRY_S", "pause that a receiver may ask for", "asked again"),
    Bound("runbooks.slack.war_rooms:MAX_AGAIN_MS", "pause between attempts at a war room", "tried again"),
    Bound("runbooks.slack.war_rooms:MAX_SAID", "what a war room is told at once", "cut"),
    Bound("runbooks.slack.rooms:MAX_NAME", "a war room's name", "the service in it is cut"),
    Bound("runbooks.slack.rooms:MAX_TOPIC", "a war room's topic", "cut"),
    Bound("runbooks.slack.rooms:MAX_BOOKMARK", "a bookmark's title", "cut"),
    Bound("runbooks.slack.rooms:MAX_SUFFIX", "names tried for a war room", "told, and tried later"),
    Bound("runbooks.slack.listening:MAX_AGAIN_MS", "pause between attempts at Socket Mode", "tried again"),
    Bound("runbooks.slack.calls:MAX_ANSWER", "an answer to who asked in Slack", "cut"),
    Bound("runbooks.slack.asker:MAX_LISTED", "incidents listed in Slack", "the rest are counted"),
    Bound("runbooks.slack.inbox:MAX_AT_ONCE", "requests of Slack's carried out at once", "the next follow"),
    Bound("runbooks.slack.requests:MAX_TEXT", "a text that somebody puts in", "cut"),
    Bound("runbooks.slack.requests:MAX_ID", "an id of Slack's", "cut"),
    Bound("runbooks.slack.requests:MAX_FIELDS", "fields of a form", "the first are read"),
    Bound("runbooks.slack.views:MAX_VIEW_TITLE", "a form's title", "cut"),
    Bound("runbooks.slack.views:MAX_LINE", "a line of a form", "cut"),
    Bound("runbooks.slack.views:MAX_WORDS", "a text of a form", "refused by Slack"),
    Bound("runbooks.notifiers.slack_interactions:MAX_FIELDS", "fields of a request of Slack's", "400"),
    Bound("runbooks.notifiers.mail:MAX_RECIPIENTS", "recipients of a channel", "a mistake of the file"),
    Bound("runbooks.notifiers.mail_message:MAX_SUBJECT", "a mail's subject", "cut"),
    Bound("runbooks.notifiers.mail_message:MAX_BODY", "a mail's text", "cut"),
    Bound("runbooks.notifiers.pagerduty:MAX_SUMMARY", "an event's summary", "cut"),
    Bound("runbooks.notifiers.pagerduty:MAX_DETAIL", "an event's detail", "cut"),
    Bound("runbooks.notifiers.pagerduty:MAX_LINKS", "links of an event", "the first are sent"),
    Bound("runbooks.notifiers.pagerduty:MAX_ENDED", "alerts resolved with an incident", "the newest are"),
    Bound("runbooks.notifiers.apprise:MAX_BODY", "a message", "cut"),
    Bound("runbooks.notifiers.apprise:MAX_TITLE", "its title", "cut"),
    Bound("runbooks.notifiers.slack_errors:MAX_WAIT_S", "pause that Slack may ask for", "asked again"),
    Bound("runbooks.notifiers.slack_client:MAX_ANSWER_BYTES", "an answer of Slack's", "cut, so that it can't be read"),
    Bound("runbooks.notifiers.slack_errors:MAX_PAGES", "pages of channels read from Slack", "tried again a minute later"),
    Bound("runbooks.notifiers.slack_interactions:MAX_BODY_BYTES", "a press from Slack", "413"),
    Bound("runbooks.notifiers.slack_interactions:MAX_AGE_S", "a press's age", "401"),
    Bound("runbooks.notifiers.slack_layout:MAX_BLOCKS", "blocks of a Slack message", "cut"),
    Bound("runbooks.notifiers.card:MAX_EVIDENCE", "evidence of a card", "the first is shown"),
    Bound("runbooks.notifiers.card:MAX_LINES", "kinds of log lines in a message", "see the war room"),
    Bound("runbooks.notifiers.card:MAX_LABEL", "a label of a card", "cut"),
)  # fmt: skip
