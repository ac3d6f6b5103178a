"""The billing service in its region: entitlements, payments, runs, and what breaks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import orjson
import pytest
from opentelemetry.trace import SpanKind

from demo_stack.chassis.disturbance import Disturbance
from demo_stack.in_memory import steady
from demo_stack.in_memory.readings import tags
from demo_stack.in_memory.region import MemoryRegion, open_region
from demo_stack.services.billing.plans import PLANS, plan_of
from demo_stack.world.layout import Service

Result = TypeVar("Result")


async def _ask(
    w: MemoryRegion, method: str, path: str, body: object = None, key: str = ""
) -> tuple[int, dict[str, Any]]:
    headers = {"idempotency-key": key} if key else {}
    request = httpx2.Request(
        method, w.region.addresses[Service.BILLING][0] + path, json=body, headers=headers
    )
    response = await w.network.transport().handle_async_request(request)
    return response.status_code, orjson.loads(await response.aread())


def _run(story: Callable[[MemoryRegion], Awaitable[Result]]) -> Result:
    async def opened() -> Result:
        async with open_region() as w:
            return await story(w)

    return steady.run(opened())


def test_made_up_accounts_have_plans_and_others_can_subscribe() -> None:
    """Viewers without a plan would be refused their streams."""

    async def story(
        w: MemoryRegion,
    ) -> Any:
        known = await _ask(w, "GET", "/accounts/v0007/entitlement")
        unknown = await _ask(w, "GET", "/accounts/anna/entitlement")
        wish = {"account": "anna", "plan": "premium"}
        answers = [await _ask(w, "POST", "/subscriptions", wish, "k") for _ in range(2)]
        again = await _ask(w, "POST", "/subscriptions", wish, "other key")
        return known, unknown, answers, again, await _ask(w, "GET", "/accounts/anna/entitlement")

    known, unknown, answers, again, anna = _run(story)
    plan = plan_of("v0007")
    assert known == (200, {"account": "v0007", "plan": plan.id, "streams": plan.streams})
    assert unknown[0] == 404
    assert answers[0] == answers[1] == (201, {"account": "anna", "plan": "premium", "new": True})
    assert again[1]["new"] is False
    assert anna[1]["streams"] == PLANS["premium"].streams


def test_a_run_bills_what_is_due_and_a_payment_of_the_same_invoice_changes_nothing() -> None:
    """The run and a viewer must not both charge an invoice."""

    async def story(
        w: MemoryRegion,
    ) -> Any:
        wish = {"account": "anna", "plan": "premium"}
        await _ask(w, "POST", "/subscriptions", wish, "k")
        first = await _ask(w, "POST", "/runs")
        second = await _ask(w, "POST", "/runs")
        invoices = (await _ask(w, "GET", "/accounts/anna/invoices"))[1]["invoices"]
        path = f"/invoices/{invoices[0]['id']}/payments"
        paid = [await _ask(w, "POST", path, key="p") for _ in range(2)]
        charged = {point["currency"]: n for point, n in w.points("billing.charged")}
        spans = {
            (span.name, tags(span)["db.system.name"])
            for span in w.spans()
            if span.kind is SpanKind.CLIENT and "db.system.name" in tags(span)
        }
        return first, second, invoices, paid, charged, spans

    first, second, invoices, paid, charged, spans = _run(story)
    assert first[0] == 200
    assert first[1]["invoiced"] >= 2  # anna, and the first of the made-up accounts
    assert first[1]["paid"] + first[1]["declined"] == first[1]["invoiced"]
    assert second[1]["paid"] <= 1
    assert invoices[0]["amount_minor"] == 1_999
    assert {status for status, _ in paid} == {200}
    assert paid[0] == paid[1]
    assert charged["EUR"] >= 1_999
    assert ("INSERT payments", "sqlite") in spans


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "status"),
    [
        ("POST", "/subscriptions", {"account": "a", "plan": "free"}, "k", 400),
        ("POST", "/subscriptions", {"account": 7, "plan": "basic"}, "k", 400),
        ("POST", "/subscriptions", [1], "k", 400),
        ("POST", "/subscriptions", {"account": "a", "plan": "basic"}, "", 400),
        ("POST", "/invoices/99999/payments", None, "k", 404),
        ("POST", "/invoices/1/payments", None, "", 400),
        ("GET", f"/accounts/{'x' * 200}/entitlement", None, "", 400),
    ],
)
def test_nonsense_is_refused(
    method: str,
    path: str,
    body: dict[str, Any] | list[int] | None,
    key: str,
    status: int,
) -> None:
    """A request that makes no sense must be a 4xx and change nothing."""

    async def story(w: MemoryRegion) -> int:
        return (await _ask(w, method, path, body, key))[0]

    assert _run(story) == status


@pytest.mark.parametrize(
    ("point", "method", "path"),
    [
        ("billing.entitlement", "GET", "/accounts/v0001/entitlement"),
        ("billing.run", "POST", "/runs"),
        ("billing.payment", "POST", "/runs"),
        ("billing.subscribe", "POST", "/subscriptions"),
        ("billing.request", "GET", "/accounts/v0001/invoices"),
    ],
)
def test_every_injection_point_is_reached(point: str, method: str, path: str) -> None:
    """A point that nobody reaches makes its fault do nothing."""

    async def story(w: MemoryRegion) -> tuple[int, int]:
        w.region.points.disturb("x", Disturbance(point=point, error_ratio=1.0))
        body = {"account": "anna", "plan": "basic"}
        broken = (await _ask(w, method, path, body, "k"))[0]
        w.region.points.calm("x")
        return broken, (await _ask(w, method, path, body, "k"))[0]

    broken, well = _run(story)
    assert broken == 500
    assert well in {200, 201}


def test_a_database_that_is_away_is_an_answer_and_comes_back(tmp_path: Path) -> None:
    """Billing must recover with its database, without a restart."""

    async def story(
        w: MemoryRegion,
    ) -> tuple[tuple[int, dict[str, Any]], tuple[int, dict[str, Any]]]:
        w.region.stores.billing.url = f"sqlite:///{tmp_path}/missing/ledger.sqlite"
        away = await _ask(w, "GET", "/accounts/v0001/entitlement")
        (tmp_path / "missing").mkdir()
        return away, await _ask(w, "GET", "/accounts/v0001/entitlement")

    away, back = _run(story)
    assert away[0] == 503
    assert "ledger" in away[1]["error"]
    assert back[0] == 200


def test_the_service_keeps_its_books_wherever_it_is_told_to(url: str) -> None:
    """The ledger must be the same in SQLite and in MariaDB."""

    async def story(w: MemoryRegion) -> tuple[tuple[int, dict[str, Any]], Any, set[Any]]:
        w.region.stores.billing.url = url
        run = await _ask(w, "POST", "/runs")
        spans = {tags(span).get("db.system.name") for span in w.spans()} - {None}
        return run, (await _ask(w, "GET", "/accounts/v0000/invoices"))[1]["invoices"], spans

    run, invoices, spans = _run(story)
    assert run[0] == 200
    assert len(invoices) == 1
    assert spans == {"mariadb" if "pymysql" in url else "sqlite"}
