"""Pages through the library ``apprise``, to a real endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.errors import ConfigError
from demo_stack.slack.server import serving
from runbooks.notifiers.apprise import NOTIFIER
from runbooks.notifiers.delivery import Delivery, NotDeliveredError, Notifier
from runbooks.notifiers.settling import load_notifiers
from tests.runbooks.notifiers.contract import Case, finds_what_has_arrived, opens_edits_and_replies


class Endpoint:
    """Keeps what ``apprise`` posts."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.status = 200

    async def take(self, request: Request) -> Response:
        self.got.append(await request.json())
        return Response(status_code=self.status)


pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # of its import
Room = tuple[Endpoint, Notifier]


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    endpoint = Endpoint()
    app = Starlette(routes=[Route("/hook", endpoint.take, methods=["POST"])])
    with serving(lambda _hangup: app) as url:
        path = tmp_path_factory.mktemp("apprise") / "notifiers.yaml"
        address = url.replace("http://", "json://u:hunter2@")
        path.write_text(f"apprise: {{urls: {{anywhere: '{address}/hook'}}}}")
        told = load_notifiers(path)["apprise"]
        assert "hunter2" not in repr(told)
        made = NOTIFIER.make(told)  # type: ignore[arg-type]  # of this notifier
        assert made is not None
        yield endpoint, made


@pytest.fixture
def room(socket: Room) -> Room:
    socket[0].got.clear()
    socket[0].status = 200
    return socket


def test_contract(room: Room, delivery: Delivery) -> None:
    """A page names severity, value and expression; updates follow as messages."""
    endpoint, notifier = room
    case = Case(
        notifier=notifier,
        channel="anywhere",
        read=lambda: json.dumps(endpoint.got, ensure_ascii=False),
        finds=False,
    )
    opens_edits_and_replies(case, delivery)
    assert len(endpoint.got) == 2
    finds_what_has_arrived(case, delivery)


def test_a_refusal_is_told_and_no_password_with_it(room: Room, delivery: Delivery) -> None:
    """Nobody would learn that the way is closed, or everybody how to use it."""
    endpoint, notifier = room
    endpoint.status = 403
    with pytest.raises(NotDeliveredError, match="403") as caught:
        notifier.deliver(replace(delivery, channel="anywhere"))
    assert "hunter2" not in str(caught.value)


def test_what_strangers_write_calls_nobody(room: Room, delivery: Delivery) -> None:
    """A tag's value would ring a whole chat."""
    endpoint, notifier = room
    card = replace(delivery.card, headline="@everyone <!channel> @here <@U1>")
    notifier.deliver(replace(delivery, channel="anywhere", card=card))
    assert not any(
        call in str(endpoint.got) for call in ("@everyone", "<!channel", "@here", "<@U1")
    )


def test_an_url_of_no_service_is_refused_at_the_start(tmp_path: Path) -> None:
    """Found at the first page, it would be found too late."""
    path = tmp_path / "notifiers.yaml"
    path.write_text("apprise: {urls: {x: 'nothing-such://a'}}")
    told = load_notifiers(path)["apprise"]
    with pytest.raises(ConfigError, match="knows no service by the URL of 'x'"):
        NOTIFIER.make(told)  # type: ignore[arg-type]  # of this notifier
