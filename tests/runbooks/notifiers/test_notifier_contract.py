"""What every notifier must do, run against each that is shipped."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import runbooks.notifiers
from collectors.clock import ManualClock
from collectors.errors import ConfigError, TocsinError
from demo_stack.slack.server import serving
from runbooks.incidents.states import Status
from runbooks.notifiers.console import ConsoleNotifier
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    NotDeliveredError,
    UncertainError,
)
from runbooks.notifiers.recording import RecordingNotifier
from runbooks.notifiers.registry import notifiers
from runbooks.notifiers.signing import PREFIX, key_of
from runbooks.notifiers.webhook import Form, Hook, WebhookNotifier
from runbooks.paging.routing import Routes, Target
from tests.runbooks.notifiers.contract import Case, finds_what_has_arrived, opens_edits_and_replies
from tests.runbooks.room import MakeDesk, MakeFinding


class Receiver:
    """An HTTP endpoint that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.answer = Response(status_code=204)

    async def take(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        self.bodies.append(await request.body())
        self.got.append((request.headers["idempotency-key"], await request.json()))
        return self.answer


@pytest.fixture(scope="session")
def hook_socket() -> Iterator[tuple[Receiver, WebhookNotifier]]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])
    with serving(lambda _hangup: app) as url:
        yield (
            receiver,
            WebhookNotifier(
                {
                    "pager": Hook(url=f"{url}/hook"),
                    "gone": Hook(url="http://127.0.0.1:9/"),
                    "signed": Hook(url=f"{url}/hook", form=Form.ALERTMANAGER, key=b"shared"),
                },
                clock=ManualClock(1_700_000_000_000),
            ),
        )


@pytest.fixture
def hook(hook_socket: tuple[Receiver, WebhookNotifier]) -> tuple[Receiver, WebhookNotifier]:
    receiver, notifier = hook_socket
    for kept in (receiver.got, receiver.headers, receiver.bodies):
        kept.clear()
    receiver.answer = Response(status_code=204)
    return receiver, notifier


def console_case(_request: pytest.FixtureRequest) -> Case:
    stream = io.StringIO()
    return Case(
        notifier=ConsoleNotifier(stream), channel="stderr", read=stream.getvalue, finds=False
    )


def recording_case(_request: pytest.FixtureRequest) -> Case:
    notifier = RecordingNotifier()
    return Case(notifier=notifier, channel="any", read=lambda: str(notifier.delivered))


def slack_case(request: pytest.FixtureRequest) -> Case:
    slack = request.getfixturevalue("slack")
    return Case(
        notifier=slack.notifier,
        channel="incidents",
        read=lambda: json.dumps(slack.seen(), ensure_ascii=False),
    )


def webhook_case(request: pytest.FixtureRequest) -> Case:
    receiver, notifier = request.getfixturevalue("hook")
    return Case(
        notifier=notifier,
        channel="pager",
        read=lambda: json.dumps(receiver.got, ensure_ascii=False),
        finds=False,
    )


CASES = {
    "console": console_case,
    "recording": recording_case,
    "slack": slack_case,
    "webhook": webhook_case,
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param](request)


def _with_tests_of_their_own() -> set[str]:
    """Return the notifiers that are tried by a file of their own, ``test_NAME_notifier.py``."""
    files = Path(__file__).parent.glob("test_*_notifier.py")
    return {path.stem.removeprefix("test_").removesuffix("_notifier") for path in files}


def test_every_notifier_is_in_the_suite() -> None:
    """A module that delivers and is tested nowhere is a mistake."""
    room = Path(next(iter(runbooks.notifiers.__path__)))
    delivering = {
        path.stem for path in room.glob("*.py") if "def deliver(self, delivery" in path.read_text()
    }
    tried = set(CASES) | _with_tests_of_their_own()
    assert delivering - {"delivery"} <= tried
    assert set(notifiers()) <= tried


def test_open_edit_reply(case: Case, delivery: Delivery) -> None:
    """A page names severity, value and expression; edits and replies take its reference."""
    opens_edits_and_replies(case, delivery)


def test_find_what_has_arrived(case: Case, delivery: Delivery) -> None:
    """What arrived is found by its outbox id and nothing else; who can't look says None."""
    finds_what_has_arrived(case, delivery)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (400, {}, NotDeliveredError),
        (404, {}, NotDeliveredError),
        (429, {"Retry-After": "7"}, DelayedError),
        (503, {}, DelayedError),
        (500, {}, UncertainError),
    ],
)
def test_webhook_answers(
    hook: tuple[Receiver, WebhookNotifier],
    delivery: Delivery,
    status: int,
    headers: dict[str, str],
    error: type[TocsinError],
) -> None:
    """Which answers mean never, later, and who knows."""
    receiver, notifier = hook
    receiver.answer = Response(status_code=status, headers=headers)
    with pytest.raises(error) as caught:
        notifier.deliver(replace(delivery, channel="pager"))
    if headers:
        assert isinstance(caught.value, DelayedError)
        assert caught.value.retry_after_s == 7
    assert receiver.got[0][0] == "41"


@pytest.mark.parametrize(("channel", "error"), [("gone", DelayedError), ("no", NotDeliveredError)])
def test_webhook_that_is_not_there(
    hook: tuple[Receiver, WebhookNotifier], delivery: Delivery, channel: str, error: type[Exception]
) -> None:
    """Nobody listens: later. Nobody of that name: never."""
    with pytest.raises(error):
        hook[1].deliver(replace(delivery, channel=channel))


def test_alertmanagers_format_signed(
    hook: tuple[Receiver, WebhookNotifier], delivery: Delivery
) -> None:
    """A receiver made for Alertmanager takes it, and knows that it is ours and how old it is."""
    receiver, notifier = hook
    page = replace(delivery, channel="signed")
    reference = notifier.deliver(page)
    resolved = replace(page.card, status=Status.RESOLVED, ended_ms=1_700_000_060_000)
    edit = replace(page, action=Action.EDIT, outbox_id=42, reference=reference, card=resolved)
    notifier.deliver(edit)
    notifier.deliver(replace(edit, action=Action.REPLY, outbox_id=43, text="no place for it"))

    (_, firing), (_, over) = receiver.got
    assert (firing["version"], firing["status"], over["status"]) == ("4", "firing", "resolved")
    assert firing["groupKey"] == over["groupKey"]
    alert, ended = (told["alerts"][0] for told in (firing, over))
    assert alert["labels"] == {
        "alertname": "Playback starts fail in us-east-1",
        "cloud_region": "us-east-1",
        "incident": "inc-0001",
        "service_name": "playback",
        "severity": "SEV2",
    }
    assert alert["startsAt"] == "2023-11-14T22:13:20.000+00:00"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert ended["endsAt"] == "2023-11-14T22:14:20.000+00:00"
    assert alert["fingerprint"] == ended["fingerprint"]
    headers, body = receiver.headers[0], receiver.bodies[0]
    content = b"41.1700000000." + body
    wanted = base64.b64encode(hmac.new(b"shared", content, hashlib.sha256).digest()).decode()
    assert headers["webhook-id"] == "41"
    assert headers["webhook-signature"] == f"v1,{wanted}"


def test_secrets_of_standard_webhooks() -> None:
    """The libraries that verify take what follows whsec_ for base64."""
    assert key_of(f"{PREFIX}c2hhcmVk") == key_of("shared") == b"shared"
    with pytest.raises(ConfigError, match="no base64"):
        key_of(f"{PREFIX}?")


@pytest.mark.parametrize("error", [DelayedError("x", retry_after_s=1), UncertainError("x")])
def test_courier_carries_every_page_once(
    make_desk: MakeDesk,
    recorder: RecordingNotifier,
    clock: ManualClock,
    make_finding: MakeFinding,
    error: TocsinError,
) -> None:
    """Whatever fails in between, each notification arrives exactly once and in order."""
    recorder.fail_next(error, error)
    desk = make_desk()
    desk.receive(make_finding())
    for _ in range(20):
        desk.tick()
        clock.advance_ms(1_000)
    ids = [delivered.outbox_id for delivered in recorder.delivered]
    assert ids == sorted(set(ids))
    assert recorder.delivered[0].action is Action.OPEN


def test_an_unknown_notifier_fails_loudly(make_desk: MakeDesk, make_finding: MakeFinding) -> None:
    """A route to a notifier that is not set up ends on the incident's record."""
    desk = make_desk(notifiers=[])
    desk.receive(make_finding())
    desk.tick()
    [incident] = desk.ledger.incidents()
    kinds = [event.kind for event in desk.ledger.events(incident.id)]
    assert "page_failed" in kinds


def test_a_defective_notifier_does_not_stop_the_others(
    make_desk: MakeDesk, recorder: RecordingNotifier, clock: ManualClock, make_finding: MakeFinding
) -> None:
    """An exception that no one expected is noted, and other channels get their pages."""

    class Defective(RecordingNotifier):
        def deliver(self, delivery: Delivery) -> str:
            raise ZeroDivisionError(delivery.outbox_id)

    targets = tuple(Target(notifier=name, channel="x") for name in ("defective", "recording"))
    desk = make_desk(notifiers=[Defective("defective"), recorder], routes=Routes(default=targets))
    desk.receive(make_finding())
    for _ in range(3):
        desk.tick()
        clock.advance_ms(5_000)
    assert recorder.delivered[0].action is Action.OPEN
    [incident] = desk.ledger.incidents()
    assert "ZeroDivisionError" in desk.outbox.rows(incident.id)[0].reason
