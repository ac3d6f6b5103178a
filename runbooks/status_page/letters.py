"""Mails to subscribers: one that asks, one for each update; each with a way to leave. Pure.

Sources: RFC 8058 (one-click unsubscription), RFC 3834 (automatic mails).
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from runbooks.notifiers.mail_message import MAX_SUBJECT, one_line
from runbooks.status_page.notices import Notice, Update
from runbooks.status_page.subscribers import Subscriber


def letter_of(
    sender: str, one: Subscriber, title: str, base_url: str, notice: Notice, said: Update
) -> EmailMessage:
    """Return the mail that tells a subscriber of an update."""
    subject = f"[{title}] {said.progress.words}: {notice.title}"
    leave = link(base_url, one)
    text = (
        f"{notice.title}\n{said.progress.words}\n\n{said.text}\n\n"
        f"{base_url}/incidents/{notice.id}.html\n\n-- \n"
        f"You get this because you asked for it. To leave: {leave}\n"
    )
    mail = _mail(sender, one, subject, text, said.time_ms)
    mail["Message-ID"] = f"<status-{said.id}-{one.id}@{sender.rpartition('@')[2]}>"
    mail["List-Unsubscribe"] = f"<{leave}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return mail


def question_of(
    sender: str, one: Subscriber, title: str, base_url: str, now_ms: int
) -> EmailMessage:
    """Return the mail that asks whether its reader wants to be told."""
    text = (
        f"Somebody, probably you, asked to be told by mail how {title} is.\n\n"
        f"To say yes, open this page and press the button:\n{link(base_url, one)}\n\n"
        "If it was not you, do nothing: you get no further mail.\n"
    )
    return _mail(sender, one, f"[{title}] Do you want to be told by mail?", text, now_ms)


def link(base_url: str, one: Subscriber) -> str:
    """Return the address at which a subscriber says yes, or leaves."""
    return f"{base_url}/subscriptions/{one.secret}"


def _mail(sender: str, one: Subscriber, subject: str, text: str, time_ms: int) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = one.address
    mail["Subject"] = one_line(subject, MAX_SUBJECT)
    mail["Date"] = format_datetime(datetime.fromtimestamp(time_ms / 1_000, UTC))
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail
