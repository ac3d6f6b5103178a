"""Mail to users: asked first, told once each, left by a button or by their mail program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from collectors.clock import ManualClock
from runbooks.api.status_page import status_routes
from runbooks.desk.desk import IncidentDesk
from runbooks.notifiers.delivery import DelayedError
from runbooks.postmortem.flat_metrics import FlatMetrics
from runbooks.status_page.notices import Progress
from runbooks.status_page.office import StatusOffice
from runbooks.status_page.subscribers import FORGET_UNCONFIRMED_MS, MAX_ASKED_AN_HOUR
from tests.runbooks.room import Swap
from tests.runbooks.status_page.conftest import FILE

BASE = "https://status.test/status"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass(slots=True)
class Post:
    """Takes mails, or fails."""

    sender: str = "status@shop.test"
    fails: bool = False
    mails: list[EmailMessage] = field(default_factory=list)

    def hand_in(self, content: bytes, recipients: Sequence[str]) -> str:
        if self.fails:
            raise DelayedError("mail.test:25: down", retry_after_s=1)
        mail = message_from_bytes(content, policy=default)
        assert isinstance(mail, EmailMessage)
        assert mail["To"] == ", ".join(recipients)
        self.mails.append(mail)
        return ""


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def office(desk: IncidentDesk, clock: ManualClock, tmp_path: Path, post: Post) -> StatusOffice:
    return StatusOffice(
        desk,
        slos=list,
        metrics=FlatMetrics(),
        directory=tmp_path / "status",
        clock=clock,
        file=replace(FILE, subscribe_url=BASE),
        public=True,
        mailer=post,
    )


@pytest.fixture
def http(api_socket: tuple[httpx2.Client, Swap], office: StatusOffice) -> httpx2.Client:
    client, swap = api_socket
    swap.app = Starlette(routes=status_routes(office))
    return client


def ask(http: httpx2.Client, address: str = "ana@users.test") -> httpx2.Response:
    return http.post("/status/subscribe", data={"address": address})


def publish(office: StatusOffice, title: str = "Videos do not start") -> None:
    office.page.publish(
        title=title, text="We look.", progress=Progress.INVESTIGATING, components={}, actor="a"
    )
    office.publisher.turn()


def path_in(mail: EmailMessage) -> str:
    """Return the path of the link in a mail."""
    [link] = [word for word in mail.get_content().split() if "/subscriptions/" in word]
    return "/status" + str(link).removeprefix(BASE)


def test_from_the_question_to_the_last_mail(
    http: httpx2.Client, office: StatusOffice, post: Post
) -> None:
    """Nothing is sent before a yes; opening a link changes nothing; one click leaves."""
    assert "Ask for mail" in http.get("/status/subscribe").text
    assert "has one that asks" in ask(http).text
    publish(office, "before")
    [question] = post.mails
    path = path_in(question)
    assert "Yes, tell me by mail" in http.get(path).text
    publish(office, "still before")
    assert len(post.mails) == 1
    assert "From now on" in http.post(path, data={"answer": "yes"}).text
    assert http.get(path).text.count("Leave") == 1

    publish(office)
    office.publisher.turn()
    letter = post.mails[-1]
    assert len(post.mails) == 2
    assert letter["Subject"] == "[Streamly] Investigating: Videos do not start"
    assert "We look." in letter.get_content()
    assert letter["List-Unsubscribe"] == f"<{BASE}{path.removeprefix('/status')}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    assert http.post(path, data=ONE_CLICK).text.count("You get no further mail.") == 1
    publish(office, "after")
    assert len(post.mails) == 2
    assert http.get(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "%F0%9F%92%A5", "a" * 300, "..%2f..%2fetc"])
def test_a_made_up_link_leads_nowhere(http: httpx2.Client, token: str) -> None:
    """Whatever it holds."""
    ask(http)
    path = f"/status/subscriptions/{token}"
    assert http.get(path).status_code == 404
    assert http.post(path, data={"answer": "yes"}).status_code in {404, 405}


def test_whoever_asks_for_another_learns_nothing(
    http: httpx2.Client, office: StatusOffice, post: Post
) -> None:
    """Asking twice answers alike and sends once; too many are asked for nobody's sake."""
    assert ask(http).text == ask(http).text
    assert len(post.mails) == 1
    for number in range(MAX_ASKED_AN_HOUR + 5):
        ask(http, f"user{number}@users.test")
    assert len(post.mails) == MAX_ASKED_AN_HOUR


@pytest.mark.parametrize("address", ["", "ana", "a@b\r\nBcc: c@d.test", "a" * 400 + "@b.test"])
def test_what_is_no_address(http: httpx2.Client, post: Post, address: str) -> None:
    """Nothing is sent, and no header gets in."""
    assert ask(http, address).status_code == 400
    assert post.mails == []


def test_who_does_not_answer_is_forgotten(
    http: httpx2.Client, office: StatusOffice, clock: ManualClock, post: Post
) -> None:
    """And may ask again."""
    ask(http)
    clock.advance_ms(FORGET_UNCONFIRMED_MS + 1)
    ask(http)
    assert len(post.mails) == 2
    assert len(office.subscribers.all()) == 1


def test_mail_that_fails_is_told_and_tried_again(
    http: httpx2.Client, office: StatusOffice, clock: ManualClock, post: Post
) -> None:
    """A question that could not be sent can be asked again; an update waits."""
    post.fails = True
    assert ask(http).status_code == 502
    assert office.subscribers.all() == []
    post.fails = False
    ask(http)
    http.post(path_in(post.mails[0]), data={"answer": "yes"})
    post.fails = True
    publish(office)
    assert len(post.mails) == 1
    post.fails = False
    clock.advance_ms(60_000)
    office.publisher.turn()
    assert len(post.mails) == 2


@pytest.mark.parametrize(("public", "base"), [(False, BASE), (True, "")])
def test_without_a_public_page_nobody_subscribes(
    http: httpx2.Client, office: StatusOffice, post: Post, public: bool, base: str
) -> None:
    """A form that sends mail must not be open where nobody meant it to be."""
    office.public = public
    office.use(replace(FILE, subscribe_url=base))
    assert http.get("/status/subscribe").status_code == 404
    assert ask(http).status_code == 404
    assert post.mails == []
