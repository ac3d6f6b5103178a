"""``response_url``: five answers within half an hour to the message that was clicked."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from demo_stack.slack.arguments import Arguments
from demo_stack.slack.chat import content
from demo_stack.slack.workspace import BOT_USER, Channel, Message, SlackError, Workspace


@dataclass(slots=True, kw_only=True)
class _Ticket:
    channel: Channel
    message: Message
    user: str
    issued_s: float
    uses: int = 0


class ResponseUrls:
    """Issues and serves response URLs.

    Args:
        workspace: Where the answers go.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._tickets: dict[str, _Ticket] = {}
        self.ephemeral: list[dict[str, str]] = []

    def issue(self, channel: Channel, message: Message, user: str) -> str:
        """Return a secret that names this interaction; it goes into the URL's path."""
        secret = secrets.token_urlsafe(16)
        self._tickets[secret] = _Ticket(
            channel=channel, message=message, user=user, issued_s=self._workspace.now()
        )
        if len(self._tickets) > 1_000:
            self._tickets.pop(next(iter(self._tickets)))
        return secret

    def answer(self, secret: str, arguments: Arguments) -> None:
        """Apply one answer; raise :class:`SlackError` when the URL is unknown, old or used up."""
        ticket = self._tickets.get(secret)
        limits = self._workspace.limits
        if ticket is None or ticket.uses >= limits.response_url_uses:
            raise SlackError("used_url")
        if self._workspace.now() - ticket.issued_s > limits.response_url_age_s:
            raise SlackError("expired_url")
        ticket.uses += 1
        if arguments.flag("delete_original"):
            self._remove(ticket)
            return
        text, blocks, attachments = content(self._workspace, arguments, limits.text)
        if arguments.flag("replace_original"):
            message = ticket.message
            message.text, message.blocks, message.attachments = text, blocks, attachments
            message.edited_ts = self._workspace.next_ts()
        elif arguments.text("response_type") == "in_channel":
            reply = Message(ts=self._workspace.next_ts(), user=BOT_USER, text=text, blocks=blocks)
            self._workspace.post(ticket.channel, reply, ticket.message.thread_ts)
        else:
            self.ephemeral.append({"channel": ticket.channel.id, "user": ticket.user, "text": text})
            del self.ephemeral[:-100]

    def _remove(self, ticket: _Ticket) -> None:
        if ticket.message in ticket.channel.messages:
            ticket.channel.messages.remove(ticket.message)
        for parent in ticket.channel.messages:
            if ticket.message in parent.replies:
                parent.replies.remove(ticket.message)
