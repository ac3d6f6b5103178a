"""Pages by e-mail through a real SMTP server, and what each of its answers leads to."""

from __future__ import annotations

import asyncio
import email
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from collectors.clock import ManualClock
from collectors.errors import DocumentError, TocsinError
from runbooks.incidents.commands import Acknowledge, Note
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    NotDeliveredError,
    PartlyDeliveredError,
    UncertainError,
)
from runbooks.notifiers.mail import MailNotifier, MailServer, Security
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.settling import load_notifiers
from runbooks.paging.routing import Routes, Target, load_routes
from tests.runbooks.notifiers.contract import Case, finds_what_has_arrived, opens_edits_and_replies
from tests.runbooks.room import MakeDesk, MakeFinding

SENDER, ANA, BEN = "tocsin@example.org", "ana@example.com", "ben@example.com"
EVIL = '"><script>x</script>\r\nBcc: evil@example.net\r\n\r\nhello'


@dataclass(slots=True)
class Mailbox:
    """What arrived, and answers to give instead of taking it."""

    got: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    sender: str = ""
    recipient: dict[str, str] = field(default_factory=dict)
    content: str = ""
    hang_up: bool = False

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        envelope.mail_from = address
        return self.sender or "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if refusal := self.recipient.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.content:
            return self.content
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=default)
        assert isinstance(parsed, EmailMessage)
        self.got.append(([*envelope.rcpt_tos], parsed))
        if self.hang_up:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 taken"


Room = tuple[Mailbox, MailNotifier]


def _login(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
    assert isinstance(data, LoginPassword)
    right = (data.login, data.password) == (b"tocsin", b"secret")
    return AuthResult(success=right, handled=False)


class _OnAnyPort(Controller):
    """Knows its port once it has one."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's


@pytest.fixture(scope="module")
def controller() -> Iterator[Controller]:
    made = _OnAnyPort(
        Mailbox(),
        hostname="127.0.0.1",
        port=0,
        authenticator=_login,
        auth_require_tls=False,
    )
    made.start()
    yield made
    made.stop()


def notifier_of(controller: Controller, **changes: Any) -> MailNotifier:
    wanted: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": controller.port,
        "security": Security.NONE,
    }
    wanted |= {"timeout_s": 5.0}
    lists = {"oncall": (ANA,), "both": (ANA, BEN)}
    return MailNotifier(MailServer(**(wanted | changes)), SENDER, lists)


@pytest.fixture
def room(controller: Controller) -> Room:
    controller.handler = box = Mailbox()
    return box, notifier_of(controller)


@pytest.fixture
def page(delivery: Delivery) -> Delivery:
    return replace(delivery, channel="oncall")


def text_of(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_contract(room: Room, page: Delivery) -> None:
    """A page names severity, value and expression; an answer to it tells of updates."""
    box, notifier = room

    def read() -> str:
        return "\n".join(f"{mail['Subject']}\n{text_of(mail, 'plain')}" for _, mail in box.got)

    case = Case(notifier=notifier, channel="oncall", read=read, finds=False)
    opens_edits_and_replies(case, page)
    assert len(box.got) == 2
    finds_what_has_arrived(case, page)


def test_mails_of_an_incident_are_one_thread(room: Room, page: Delivery) -> None:
    """An update would start a thread of its own in everybody's mailbox."""
    box, notifier = room
    first = notifier.deliver(page)
    reply = replace(page, action=Action.REPLY, outbox_id=42, text="acknowledged", reference=first)
    notifier.deliver(reply)
    again = replace(page, outbox_id=43, text="nobody has acknowledged it", earlier=(first,))
    notifier.deliver(again)
    opening, answer, ringing = (mail for _, mail in box.got)
    root = f"<{page.card.incident_id}@example.org>"
    assert opening["Message-ID"] == first
    assert answer["In-Reply-To"] == ringing["In-Reply-To"] == first
    assert [mail["References"] for mail in (opening, answer, ringing)] == [
        root,
        f"{root} {first}",
        f"{root} {first}",
    ]
    assert str(answer["Subject"]) == f"Re: {opening['Subject']}"
    assert opening["Auto-Submitted"] == "auto-generated"


def test_what_strangers_write_is_text(room: Room, page: Delivery) -> None:
    """A title would add a recipient, or a script to the mail."""
    box, notifier = room
    evidence = (replace(page.card.evidence[0], explanation=EVIL, expression=EVIL),)
    links = ((EVIL, 'https://example.org/"onmouseover="x'), ("x", "javascript:alert(1)"))
    card = replace(page.card, headline=EVIL, fields=((EVIL, EVIL),), evidence=evidence, links=links)
    notifier.deliver(replace(page, card=card, text=EVIL))
    [(recipients, mail)] = box.got
    assert recipients == [ANA]
    assert mail["Bcc"] is None
    assert mail["To"] == ANA
    assert "\n" not in str(mail["Subject"])
    html = text_of(mail, "html")
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert 'href="https://example.org/&quot;onmouseover=&quot;x"' in html


def test_an_address_is_a_channel(room: Room, page: Delivery) -> None:
    """A person's own address would need a list of one."""
    box, notifier = room
    notifier.deliver(replace(page, channel=BEN))
    assert box.got[0][0] == [BEN]
    with pytest.raises(NotDeliveredError, match="no recipients are named 'nobody'"):
        notifier.deliver(replace(page, channel="nobody"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sender": "550 no such sender"}, NotDeliveredError),
        ({"sender": "451 try later"}, DelayedError),
        ({"recipient": {ANA: "550 no such user"}}, NotDeliveredError),
        ({"recipient": {ANA: "450 greylisted"}}, DelayedError),
        ({"content": "554 spam"}, NotDeliveredError),
        ({"content": "452 disk full"}, DelayedError),
        ({"content": "421 going down"}, DelayedError),
        ({"hang_up": True}, UncertainError),
    ],
)
def test_answers(
    room: Room, page: Delivery, changes: dict[str, Any], error: type[TocsinError]
) -> None:
    """Which answers mean never, later, and who knows."""
    box, notifier = room
    for name, value in changes.items():
        setattr(box, name, value)
    with pytest.raises(error):
        notifier.deliver(page)


def test_some_of_the_recipients(room: Room, page: Delivery) -> None:
    """One dead mailbox would keep the others from being told, or nobody would know of it."""
    box, notifier = room
    box.recipient = {BEN: "550 no such user"}
    with pytest.raises(PartlyDeliveredError, match=r"ben@example\.com: 550 no such user") as caught:
        notifier.deliver(replace(page, channel="both"))
    [(recipients, mail)] = box.got
    assert recipients == [ANA]
    assert caught.value.reference == mail["Message-ID"]


def test_who_is_left_out_takes_another_way(
    room: Room,
    recorder: RecordingNotifier,
    make_desk: MakeDesk,
    make_finding: MakeFinding,
    clock: ManualClock,
) -> None:
    """The one who got no mail sleeps on, and the others get the same mail for ever."""
    box, notifier = room
    box.recipient = {BEN: "550 no such user"}
    targets = (
        Target(notifier="mail", channel="both"),
        Target(notifier="recording", channel="other"),
    )
    desk = make_desk(notifiers=[notifier, recorder], routes=Routes(default=targets[:1]))
    desk.use(routes=Routes(default=targets), duty=desk.duty, library=(), measures=())
    desk.receive(make_finding())
    for _ in range(5):
        desk.tick()
        clock.advance_ms(5_000)
    assert [way.target.notifier for way in desk.ways.failing()] == ["mail"]
    mine = [mail for _, mail in box.got if "Playback starts fail" in str(mail["Subject"])]
    assert len(mine) == 1
    assert recorder.delivered


def test_only_what_matters_is_mailed(
    room: Room, make_desk: MakeDesk, make_finding: MakeFinding, clock: ManualClock
) -> None:
    """A mail for each note would be read by nobody."""
    box, notifier = room
    routes = Routes(default=(Target(notifier="mail", channel="oncall"),))
    desk = make_desk(notifiers=[notifier], routes=routes)
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    desk.execute(incident.id, Note(actor="ann", text="looking"))
    desk.execute(incident.id, Acknowledge(actor="ann"))
    for _ in range(3):
        clock.advance_ms(5_000)
        desk.tick()
    said = [text_of(mail, "plain") for _, mail in box.got]
    assert len(said) == 2
    assert "acknowledged by ann" in said[1]


@pytest.mark.parametrize(
    ("password", "error"), [("secret", None), ("wrong", "renew user and password")]
)
def test_login(
    controller: Controller, room: Room, page: Delivery, password: str, error: str | None
) -> None:
    """A password that is wrong is told to somebody who can renew it, and never shown."""
    box, _ = room
    notifier = notifier_of(controller, user="tocsin", password=password)
    if error is None:
        notifier.deliver(page)
        assert len(box.got) == 1
        return
    with pytest.raises(NotDeliveredError, match=error) as caught:
        notifier.deliver(page)
    assert password not in str(caught.value)


def test_a_server_that_speaks_no_tls_is_not_told_anything(
    controller: Controller, room: Room, page: Delivery
) -> None:
    """The page and the password would cross the network in the open."""
    notifier = notifier_of(controller, security=Security.STARTTLS, user="u", password="p")
    with pytest.raises(NotDeliveredError, match="see to security of mail"):
        notifier.deliver(page)
    assert room[0].got == []


def test_nobody_listens(page: Delivery) -> None:
    """The page waits until the server is there again."""
    server = MailServer(host="127.0.0.1", port=9, security=Security.NONE)
    with pytest.raises(DelayedError):
        MailNotifier(server, SENDER, {"oncall": (ANA,)}).deliver(page)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{host: h, sender: nobody}", "an address such as"),
        ("{host: h, sender: a@b.org, user: u}", "user and password go together"),
        (
            "{host: h, sender: a@b.org, user: u, password: p, security: none}",
            "would cross the network",
        ),
        ("{host: h, sender: a@b.org, to: {x: []}}", "names no recipient"),
        ("{host: h, sender: a@b.org, to: {x: ['a@b.org\\nBcc: c@d.org']}}", "an address such as"),
    ],
)
def test_parameters_are_checked(tmp_path: Path, text: str, words: str) -> None:
    """A slip of the pen would be noticed in the first bad night."""
    path = tmp_path / "notifiers.yaml"
    path.write_text(f"mail: {text}\n")
    with pytest.raises(DocumentError) as caught:
        load_notifiers(path)
    assert words in str(caught.value)


def test_routes_may_name_lists_and_addresses(tmp_path: Path) -> None:
    """A misspelt list is told; somebody's address is right."""
    lists = f"mail: {{host: h, sender: a@b.org, to: {{ops: {ANA}}}}}"
    (tmp_path / "notifiers.yaml").write_text(lists)
    told = load_notifiers(tmp_path / "notifiers.yaml")
    wrong = []
    for channel in ("ops", BEN, "opps"):
        path = tmp_path / "routes.yaml"
        path.write_text(f"default:\n- {{notifier: mail, channel: {channel}}}\n")
        wrong += [mistake.reason for mistake in load_routes(path).mistakes(told)]
    assert wrong == ["'opps' is no channel of mail; did you mean 'ops'?"]


def test_the_server_has_what_smtplib_says(controller: Controller) -> None:
    """These tests would prove nothing against a server that takes anything."""
    with smtplib.SMTP("127.0.0.1", controller.port) as client:
        assert client.rcpt(ANA)[0] == 503
