"""Pages at PagerDuty: each rings once, follows the incident, and no answer but 202 is a success."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from collectors.errors import ConfigError, TocsinError
from demo_stack.slack.server import serving
from runbooks.incidents.states import Severity, Status
from runbooks.notifiers.delivery import (
    Action,
    DelayedError,
    Delivery,
    NotDeliveredError,
    RateLimitedError,
)
from runbooks.notifiers.pagerduty import NOTIFIER, PagerDutyNotifier, event_of
from runbooks.notifiers.settling import load_notifiers
from tests.runbooks.notifiers.contract import Case, finds_what_has_arrived, opens_edits_and_replies
from tests.runbooks.notifiers.local_pagerduty import LocalPagerDuty

KEY = "k" * 32
Room = tuple[LocalPagerDuty, PagerDutyNotifier]


@pytest.fixture(scope="module")
def socket() -> Iterator[Room]:
    service = LocalPagerDuty()
    app = Starlette(routes=[Route("/v2/enqueue", service.take, methods=["POST"])])
    with serving(lambda _hangup: app) as url:
        yield service, PagerDutyNotifier({"oncall": KEY}, url=f"{url}/v2/enqueue")


@pytest.fixture
def room(socket: Room) -> Room:
    socket[0].clear()
    return socket


@pytest.fixture
def page(delivery: Delivery) -> Delivery:
    return replace(delivery, channel="oncall")


def test_contract(room: Room, page: Delivery) -> None:
    """A page names severity, value and expression; threads have no place at PagerDuty."""
    service, notifier = room
    case = Case(
        notifier=notifier,
        channel="oncall",
        read=lambda: json.dumps(service.alerts, ensure_ascii=False),
        finds=False,
        replies=False,
    )
    opens_edits_and_replies(case, page)
    service.clear()
    finds_what_has_arrived(case, page)


def test_an_alert_follows_the_incident(room: Room, page: Delivery) -> None:
    """Acknowledged here is acknowledged there; resolved here is resolved there."""
    service, notifier = room
    key = notifier.deliver(page)
    states = [service.states[key]]
    for changes in ({"acknowledged": True}, {"status": Status.RESOLVED}):
        card = replace(page.card, **changes)
        notifier.deliver(replace(page, action=Action.EDIT, reference=key, card=card))
        states.append(service.states[key])
    assert states == ["triggered", "acknowledged", "resolved"]
    assert service.rung == [key]


def test_a_page_that_rings_again_rings(room: Room, page: Delivery) -> None:
    """PagerDuty would merge it into the alert that everybody sleeps through."""
    service, notifier = room
    first = notifier.deliver(page)
    again = replace(page, outbox_id=50, text="nobody has acknowledged it", earlier=(first,))
    second = notifier.deliver(again)
    assert service.rung == [first, second]
    assert service.states == {first: "resolved", second: "triggered"}
    assert "again: nobody" in service.alerts[second]["payload"]["summary"]


def test_a_repeat_rings_nobody(room: Room, page: Delivery) -> None:
    """After a lost answer the same page is sent again."""
    service, notifier = room
    assert notifier.deliver(page) == notifier.deliver(page)
    assert len(service.rung) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(status_code=429, headers={"Retry-After": "9"}), RateLimitedError),
        (Response(status_code=500), DelayedError),
        (Response(status_code=503), DelayedError),
        (JSONResponse({"status": "invalid event"}, status_code=400), NotDeliveredError),
        (Response(status_code=403), NotDeliveredError),
        (RedirectResponse("/login"), NotDeliveredError),
        (PlainTextResponse("<html>hello</html>", status_code=200), NotDeliveredError),
        (PlainTextResponse("", status_code=202), NotDeliveredError),
        (JSONResponse({"status": "no"}, status_code=202), NotDeliveredError),
    ],
)
def test_only_202_and_success_are_one(
    room: Room, page: Delivery, answer: Response, error: type[TocsinError]
) -> None:
    """A proxy's page or a redirect would count as a page that nobody got."""
    service, notifier = room
    service.answers.append(answer)
    with pytest.raises(error) as caught:
        notifier.deliver(page)
    assert service.rung == []
    assert KEY not in str(caught.value)


def test_limits_hold_for_any_text(room: Room, page: Delivery) -> None:
    """A long title would be refused at night."""
    service, notifier = room
    long = replace(
        page.card,
        headline="h" * 5_000,
        scope=(("service.name", "s" * 5_000),),
        fields=(("f" * 500, "v" * 600_000),) * 2,
        links=(("l" * 500, "https://example.org/"), ("x", "javascript:alert(1)")),
    )
    key = notifier.deliver(replace(page, card=long))
    assert service.states[key] == "triggered"
    assert [link["href"] for link in service.alerts[key]["links"]] == ["https://example.org/"]


@pytest.mark.parametrize(
    ("severity", "word"),
    [
        (Severity.SEV1, "critical"),
        (Severity.SEV2, "error"),
        (Severity.SEV3, "warning"),
        (Severity.SEV4, "info"),
    ],
)
def test_severities(page: Delivery, severity: Severity, word: str) -> None:
    """PagerDuty refuses severities of other people's."""
    payload = event_of(replace(page, card=replace(page.card, severity=severity)))["payload"]
    assert isinstance(payload, dict)
    assert payload["severity"] == word


def test_a_key_that_can_not_be_one_is_refused_at_the_start(tmp_path: Path) -> None:
    """Found at the first page, it would be found too late."""
    path = tmp_path / "notifiers.yaml"
    path.write_text("pagerduty: {routing_keys: {oncall: short}}")
    told = load_notifiers(path)["pagerduty"]
    assert "short" not in repr(told)
    with pytest.raises(ConfigError, match="has 5 characters, not 32"):
        NOTIFIER.make(told)  # type: ignore[arg-type]  # of this notifier
