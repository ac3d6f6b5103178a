"""Pages by e-mail, over SMTP: a mail a page, an answer to it for each update that matters."""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from collectors.documents.section import Context, Section
from collectors.documents.values import (
    Count,
    DurationMs,
    OneOrMore,
    Secret,
    Words,
    at_least_one,
    matching,
    one_of,
)
from collectors.errors import ConfigError, DocumentError
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    NotDeliveredError,
    PartlyDeliveredError,
    UncertainError,
)
from runbooks.notifiers.kind import NotifierKind
from runbooks.notifiers.loopback import is_loopback
from runbooks.notifiers.mail_message import mail_of, message_id

NAME = "mail"
RETRY_S = 10.0
MAX_RECIPIENTS = 50
_ADDRESS = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,10}"


class Security(StrEnum):
    """``STARTTLS`` after a plain greeting, ``TLS`` from the first byte, ``NONE`` for loopback."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in.

    Attributes:
        host: Name or address.
        port: TCP port.
        security: How what is said there is kept secret.
        user: Name of the account; empty: no login.
        password: Of the account.
        ca_file: Certificates to trust; empty: the machine's own.
        timeout_s: For each answer, seconds.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = ""
    ca_file: str = ""
    timeout_s: float = 10.0


class MailNotifier:
    """Hands mails in at a server.

    What is sent twice after a lost answer has the same Message-ID.

    Args:
        server: Where.
        sender: Address that they are from.
        recipients: Addresses by the channel's name in routes; a channel may be an address, too.
    """

    def __init__(
        self, server: MailServer, sender: str, recipients: Mapping[str, Sequence[str]]
    ) -> None:
        self._server = server
        self._sender = sender
        self._recipients = recipients
        secret = server.security is not Security.NONE
        self._tls = ssl.create_default_context(cafile=server.ca_file or None) if secret else None

    @property
    def name(self) -> str:
        """``mail``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Send a mail; an edit changes nothing of one that was sent."""
        if delivery.action is Action.EDIT:
            return delivery.reference
        recipients = self._recipients.get(delivery.channel, ())
        if is_address(delivery.channel):
            recipients = (delivery.channel,)
        if not recipients:
            raise NotDeliveredError(f"no recipients are named {delivery.channel!r}; add them to to")
        mail = mail_of(delivery, self._sender, recipients)
        refused = self.hand_in(mail.as_bytes(), recipients)
        reference = message_id(delivery, self._sender.rpartition("@")[2])
        if refused:
            raise PartlyDeliveredError(f"some got no mail: {refused}", reference=reference)
        return reference

    def find(self, delivery: Delivery) -> str | None:
        """Return None: other people's mailboxes can't be looked into."""
        del delivery
        return None

    @property
    def sender(self) -> str:
        """Address that mails are from."""
        return self._sender

    def hand_in(self, content: bytes, recipients: Sequence[str]) -> str:
        """Send to all that the server takes; return what it said of the others.

        Raises:
            NotDeliveredError: Refused; :class:`DelayedError` if not for good.
            UncertainError: The answer was lost.
        """
        place = f"{self._server.host}:{self._server.port}"
        sent = False
        try:
            with contextlib.closing(self._connected()) as client:
                _accepted(client.mail(self._sender), f"{place} refuses the sender {self._sender}")
                refused = self._refused(client, recipients, place)
                sent = True
                _accepted(client.data(content), f"{place} refuses the mail")
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    client.quit()  # it has the mail, whatever it says to this
        except smtplib.SMTPAuthenticationError as error:
            raise NotDeliveredError(
                f"{place} refuses the login: {_said(error)}; renew user and password of mail"
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NotDeliveredError(f"{place}: {error}; see to security of mail") from error
        except smtplib.SMTPResponseException as error:
            _accepted((error.smtp_code, error.smtp_error), place)
            raise UncertainError(f"{place}: {_said(error)}") from error
        except ssl.SSLError as error:
            raise NotDeliveredError(f"{place}: {error}; see to security or ca_file") from error
        except (smtplib.SMTPException, OSError) as error:
            if sent:
                raise UncertainError(f"{place}: the answer was lost: {error!r}") from error
            raise DelayedError(f"{place}: {error!r}", retry_after_s=RETRY_S) from error
        return refused

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.security is Security.TLS:
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=server.timeout_s, context=self._tls
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
        try:
            client.ehlo_or_helo_if_needed()
            if server.security is Security.STARTTLS:
                client.starttls(context=self._tls)
            if server.user:
                client.login(server.user, server.password)
        except BaseException:
            client.close()
            raise
        return client

    def _refused(self, client: smtplib.SMTP, recipients: Sequence[str], place: str) -> str:
        """Name the recipients; return what was said of those that are refused, if not all are."""
        refused: dict[str, tuple[int, bytes]] = {}
        for recipient in recipients:
            answer = client.rcpt(recipient)
            if not 200 <= answer[0] < 300:
                refused[recipient] = answer
        if len(refused) == len(recipients):
            # The one that may be taken later, if there is one.
            best = min(refused.values(), key=lambda answer: answer[0])
            _accepted(best, f"{place} refuses {', '.join(recipients)}")
        return "; ".join(f"{who}: {_text(said)}" for who, said in refused.items())


def is_address(text: str) -> bool:
    r"""Whether ``text`` is an e-mail address.

    >>> is_address("ana@example.com"), is_address("oncall"), is_address("a@b\nBcc: c@d")
    (True, False, False)
    """
    return re.fullmatch(_ADDRESS, text, re.ASCII) is not None


def _accepted(answer: tuple[int, bytes | str], what: str) -> None:
    """Raise what an answer of the server stands for, if it is not a success."""
    code = answer[0]
    if 200 <= code < 400:
        return
    reason = f"{what}: {_text(answer)}"
    if 400 <= code < 500:
        raise DelayedError(reason, retry_after_s=RETRY_S)
    if code >= 500:
        raise NotDeliveredError(reason)


def _said(error: smtplib.SMTPResponseException) -> str:
    return _text((error.smtp_code, error.smtp_error))


def _text(answer: tuple[int, bytes | str]) -> str:
    code, said = answer
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(words.split())[:200]}"


_Mailbox = Annotated[Words, matching(_ADDRESS, "an address such as ana@example.com")]
_Mailboxes = Annotated[tuple[_Mailbox, ...], OneOrMore, at_least_one("names no recipient")]


class _Recipients(frozenset[str]):
    """Names of lists; any address is one of its own."""

    def __contains__(self, channel: object) -> bool:
        return super().__contains__(channel) or (isinstance(channel, str) and is_address(channel))


class MailParameters(Section):
    """Pages by e-mail."""

    host: Words
    """Server that takes mail (SMTP)."""
    sender: _Mailbox
    """Address that mails are from."""
    to: dict[str, _Mailboxes] = {}
    """Addresses of each channel that routes name; a route may name an address itself, too."""
    port: Count | None = None
    """TCP port: 587, with `tls` 465, with `none` 25."""
    security: Annotated[Security, one_of(tuple(Security))] = Security.STARTTLS
    """`starttls`, `tls` (from the first byte), or `none`, which takes no login beyond loopback."""
    user: Words | None = None
    """Account at the server; without it there is no login."""
    password: Secret | None = None
    """Of the account; best as `${NAME}`, read from the environment."""
    ca_file: Words | None = None
    """File of certificates to trust (PEM); without it the machine's own."""
    timeout: DurationMs = 10_000
    """For each answer of the server."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield a login by half, one that anybody could read, and too many recipients."""
        del context
        if (self.user is None) is not (self.password is None):
            yield self.at("user").error("user and password go together; add the other")
        if self.user and self.security is Security.NONE and not is_loopback(f"//{self.host}"):
            yield self.at("security").error(
                "the password would cross the network in the open; use starttls or tls"
            )
        for name, recipients in self.to.items():
            if len(recipients) > MAX_RECIPIENTS:
                message = f"has {len(recipients)} recipients; at most {MAX_RECIPIENTS}, use a list"
                yield self.at("to", name).error(message)


_PORTS = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}


def _made(parameters: MailParameters) -> MailNotifier:
    password = parameters.password
    server = MailServer(
        host=parameters.host,
        port=parameters.port or _PORTS[parameters.security],
        security=parameters.security,
        user=parameters.user or "",
        password=password.get_secret_value() if password else "",
        ca_file=parameters.ca_file or "",
        timeout_s=parameters.timeout / 1000,
    )
    try:
        return MailNotifier(server, parameters.sender, parameters.to)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"mail: ca_file {parameters.ca_file!r} can't be read: {error}") from error


NOTIFIER = NotifierKind(
    name=NAME,
    parameters=MailParameters,
    make=_made,
    channels=lambda parameters: _Recipients(parameters.to),
    important_only=True,
)
