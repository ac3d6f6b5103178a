"""A page as an e-mail: plain text and HTML, threaded, with nothing of a stranger's in force. Pure.

A header takes one line of printable text, whatever was put into a title; HTML is escaped to the
last character, and a link is one only to a web address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from collectors.printable import printable
from runbooks.notifiers.card import Card
from runbooks.notifiers.console import page_text
from runbooks.notifiers.delivery import Action, Delivery
from tocsin.client.wording import trimmed

MAX_SUBJECT, MAX_BODY = 200, 50_000
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9._-]")
_BAR = {True: "#a30200", False: "#2eb886"}


def mail_of(delivery: Delivery, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Return the mail that carries ``delivery``.

    Args:
        delivery: A page or an update of its thread.
        sender: Address that it is from.
        recipients: Addresses that it is to.
    """
    domain = sender.rpartition("@")[2]
    root = f"<{_NOT_IN_ID.sub('-', delivery.card.incident_id)}@{domain}>"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = subject_of(delivery)
    mail["Date"] = format_datetime(datetime.fromtimestamp(delivery.created_ms / 1000, UTC))
    mail["Message-ID"] = message_id(delivery, domain)
    # Mails of an incident belong together, pages that ring again too: all name the same root.
    before = delivery.reference or (delivery.earlier[0] if delivery.earlier else "")
    if before:
        mail["In-Reply-To"] = before
    mail["References"] = f"{root} {before}".strip()
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Tocsin-Incident"] = one_line(delivery.card.incident_id, 100)
    mail.set_content(trimmed(plain_text(delivery), MAX_BODY), cte="quoted-printable")
    mail.add_alternative(html_text(delivery), subtype="html", cte="quoted-printable")
    return mail


def message_id(delivery: Delivery, domain: str) -> str:
    """Return the mail's id: the same however often it is sent, so that receivers know a repeat."""
    incident = _NOT_IN_ID.sub("-", delivery.card.incident_id)
    return f"<{incident}.{delivery.outbox_id}.{delivery.created_ms}@{domain}>"


def subject_of(delivery: Delivery) -> str:
    """Return the subject; those of an incident are alike, so that they thread everywhere."""
    said = {Action.OPEN: "again: " if delivery.text else "", Action.REPLY: "Re: "}
    lead = said.get(delivery.action, "")
    return one_line(f"{lead}{delivery.card.headline}", MAX_SUBJECT)


def one_line(text: str, longest: int) -> str:
    r"""Return ``text`` as a header takes it.

    >>> one_line("a\r\nBcc: b@example.org", 50)
    'a Bcc: b@example.org'
    """
    return trimmed(printable(" ".join(text.split()), kept=""), longest, "…")


def plain_text(delivery: Delivery) -> str:
    """Return the mail's text."""
    card = delivery.card
    parts = [page_text(card)]
    if delivery.action is Action.REPLY:
        parts = [delivery.text, "", f"{card.headline} — {card.status}", *_addresses(card)]
    elif delivery.text:
        parts.insert(0, f"again: {delivery.text}")
    return printable("\n".join(parts)) + "\n"


def html_text(delivery: Delivery) -> str:
    """Return the mail as HTML; every piece of text is escaped."""
    card = delivery.card
    parts = [f"<h2>{_html(card.headline, 500)}</h2>"]
    if delivery.action is Action.REPLY:
        parts += [f"<p>{_html(delivery.text, MAX_BODY)}</p>", f"<p>{_html(card.status)}</p>"]
    else:
        parts += [f"<p><b>Again:</b> {_html(delivery.text, 3_000)}</p>"] if delivery.text else []
        parts += [f"<p>{_html(card.sentence)}</p>"] if card.sentence else []
        parts += [f"<p>{_html(card.called.words)}</p>"] if card.called else []
        rows = (f"<tr><th>{_html(name)}</th><td>{_html(v)}</td></tr>" for name, v in card.fields)
        parts += ['<table style="text-align:left">', *rows, "</table>"]
        for item in card.evidence:
            compared = f"{item.observed} against {item.baseline} over {item.window}"
            parts += [f"<p>{_html(item.explanation)}<br><code>{_html(item.expression)}</code>"]
            parts += [f"<br>{_html(compared)}</p>" if item.measured else "</p>"]
        parts += [f"<p>Log lines: {_link(words, address)}</p>" for words, address in card.lines]
    parts += [f"<p>{_link(label, address)}</p>" for label, address in card.links]
    bar = _BAR[card.is_open]
    body = "\n".join(parts)
    return f'<html><body style="border-left:4px solid {bar};padding-left:12px">{body}</body></html>'


def _addresses(card: Card) -> list[str]:
    return [f"  {label}: {address}" for label, address in card.links]


def _html(text: str, longest: int = 3_000) -> str:
    return escape(trimmed(printable(text), longest)).replace("\n", "<br>")


def _link(label: str, address: str) -> str:
    if not address.startswith(("http://", "https://")):
        return _html(f"{label}: {address}")
    return f'<a href="{escape(printable(address, kept=""))}">{_html(label)}</a>'
