"""The billing service: entitlements, subscriptions, payments, and the run that bills months."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.bodies import read_object
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.instrumented import service_app
from demo_stack.chassis.telemetry import DURATION_BOUNDS_S
from demo_stack.services.billing.database import Database, system_of
from demo_stack.services.billing.ledger import Ledger, Outcome, Settlement
from demo_stack.services.billing.plans import CURRENCY, plan_named, plan_of
from demo_stack.services.billing.playing import Playing, PlayingRegister
from demo_stack.services.billing.processor import SyntheticProcessor
from demo_stack.services.billing.requests import Requests
from demo_stack.services.billing.stores import BillingStores
from demo_stack.world.accounts import ALL_ACCOUNTS, name_of

Result = TypeVar("Result")

MONTH_S = 1_800.0
"""A month lasts half an hour here, so that some are billed while somebody watches."""

RUN_EVERY_S = 10.0
BATCH = 50
MAX_NAME_LENGTH = 100
MAX_STREAMS = 1_000
"""Streams, or ends of streams, that a region may tell at once."""

MAX_STREAM_BYTES = 1_000_000
"""Length of what a region may tell at once, in bytes."""

MAX_AGE_S = 3_600.0


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledger's thread works with."""

    database: Database
    ledger: Ledger
    requests: Requests
    playing: PlayingRegister


class Billing:
    """The handlers; the database has a thread of its own, for it may make others wait."""

    def __init__(
        self, context: ServiceContext, stores: BillingStores, month_s: float = MONTH_S
    ) -> None:
        self._context = context
        self._stores = stores
        self._month_ms = round(month_s * 1_000)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._books: Books | None = None
        meter = context.telemetry.meter
        self._payments = meter.create_counter(
            "billing.payments", unit="{payment}", description="Charges, by how they ended."
        )
        self._charged = meter.create_counter(
            "billing.charged", unit="{cent}", description="Money taken, in minor units."
        )
        self._run_s = meter.create_histogram(
            "billing.run.duration",
            unit="s",
            description="Time that a billing run takes.",
            explicit_bucket_boundaries_advisory=DURATION_BOUNDS_S,
        )
        context.chores.every(RUN_EVERY_S, self.run)
        context.chores.at_end(self._close)

    async def entitlement(self, request: Request) -> Response:
        """``GET /accounts/{account}/entitlement``: the plan of an account, or 404."""
        account = _name(request.path_params["account"], "account")
        await self._context.reach("billing.entitlement")
        plan = await self._do(
            "SELECT", "subscriptions", lambda books: books.ledger.entitlement(account)
        )
        if plan is None:
            raise ServiceError(f"account {account!r} has no subscription", status=404)
        return JSONResponse({"account": account, "plan": plan.id, "streams": plan.streams})

    async def invoices(self, request: Request) -> Response:
        """``GET /accounts/{account}/invoices``: the newest first."""
        account = _name(request.path_params["account"], "account")
        found = await self._do("SELECT", "invoices", lambda books: books.ledger.invoices(account))
        return JSONResponse({"invoices": found})

    async def subscribe(self, request: Request) -> Response:
        """``POST /subscriptions {account, plan}`` with an ``idempotency-key``."""
        body = await read_object(request)
        account, plan = _name(body.get("account"), "account"), plan_named(str(body.get("plan")))
        await self._context.reach("billing.subscribe")

        def work(books: Books) -> Any:
            def do() -> dict[str, Any]:
                fresh = books.ledger.subscribe(account, plan, _now_ms())
                return {"account": account, "plan": plan.id, "new": fresh}

            return books.requests.once(_key(request), {"account": account, "plan": plan.id}, do)

        return JSONResponse(await self._do("INSERT", "subscriptions", work), status_code=201)

    async def pay(self, request: Request) -> Response:
        """``POST /invoices/{invoice}/payments`` with an ``idempotency-key``."""
        invoice = int(request.path_params["invoice"])
        await self._context.reach("billing.payment")

        def work(books: Books) -> Any:
            def do() -> dict[str, Any]:
                return {"invoice": invoice, "outcome": _paid(books.ledger, invoice)}

            return books.requests.once(_key(request), {"invoice": invoice}, do)

        answer = await self._do("INSERT", "payments", work)
        self._payments.add(1, {"outcome": answer["outcome"]})
        return JSONResponse(answer)

    async def streams(self, request: Request) -> Response:
        """``POST /streams {region, heard, ended}``: what plays here; the answer: elsewhere.

        A stream that was heard is ``{session, account, device, age_s}``.
        """
        body = await read_object(request, MAX_STREAM_BYTES)
        await self._context.reach("billing.streams")
        now_ms = _now_ms()
        region = _name(body.get("region"), "region")
        heard = [_heard(one, now_ms) for one in _some(body.get("heard"))]
        ended = [_name(one, "session") for one in _some(body.get("ended"))]
        others = await self._do(
            "REPLACE",
            "playing",
            lambda books: books.playing.exchange(region, heard, ended, now_ms),
        )
        told = [
            {
                "session": one.session,
                "account": one.account,
                "device": one.device,
                "age_s": max(0, now_ms - one.heard_ms) / 1_000,
            }
            for one in others
        ]
        return JSONResponse({"streams": told})

    async def run_now(self, _request: Request) -> Response:
        """``POST /runs``: bill what is due, now."""
        return JSONResponse(await self._bill())

    async def run(self) -> None:
        """Bill what is due; done every few seconds, by every region, and nobody pays twice."""
        await self._bill()

    async def _bill(self) -> dict[str, int]:
        started = time.perf_counter()
        await self._context.reach("billing.run")
        invoiced = await self._do(
            "INSERT", "invoices", lambda books: books.ledger.invoice_due(_now_ms(), BATCH)
        )
        due = await self._do(
            "SELECT", "invoices", lambda books: books.ledger.chargeable(_now_ms(), BATCH)
        )
        outcomes = dict.fromkeys(Outcome, 0)
        for invoice in due:
            outcomes[await self._charge(invoice)] += 1
        self._run_s.record(time.perf_counter() - started)
        return {"invoiced": invoiced, **{one.value: number for one, number in outcomes.items()}}

    async def _charge(self, invoice: int) -> Outcome:
        await self._context.reach("billing.payment")
        settled: Settlement = await self._do(
            "INSERT", "payments", lambda books: books.ledger.charge(invoice, _now_ms())
        )
        self._payments.add(1, {"outcome": settled.outcome.value})
        self._charged.add(settled.moved_minor, {"currency": CURRENCY})
        return settled.outcome

    async def _do(self, operation: str, table: str, work: Callable[[Books], Result]) -> Result:
        """Run work in the ledger's thread, as one span of the database."""
        attributes = {
            "db.system.name": system_of(self._stores.url),
            "db.operation.name": operation,
            "db.collection.name": table,
        }
        with self._context.telemetry.tracer.start_as_current_span(
            f"{operation} {table}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            loop = asyncio.get_running_loop()
            try:
                books = await loop.run_in_executor(self._thread, self._open)
                return await loop.run_in_executor(self._thread, work, books)
            except ServiceError as error:
                if error.status >= 500:
                    span.set_attribute("error.type", error.error_type)
                    span.set_status(Status(StatusCode.ERROR, str(error)))
                raise

    def _open(self) -> Books:
        """Open the books when they are first needed, and subscribe the made-up accounts."""
        if self._books is None:
            database = Database(self._stores.url)
            ledger = Ledger(database, SyntheticProcessor(), self._month_ms)
            now_ms = _now_ms()
            accounts = [name_of(number) for number in range(ALL_ACCOUNTS)]
            ledger.subscribe_many(
                {
                    account: (plan_of(account), now_ms + number * self._month_ms // ALL_ACCOUNTS)
                    for number, account in enumerate(accounts)
                }
            )
            self._books = Books(database, ledger, Requests(database), PlayingRegister(database))
        return self._books

    def _close(self) -> None:
        self._thread.submit(self._close_books)
        self._thread.shutdown(wait=True)

    def _close_books(self) -> None:
        if self._books is not None:
            self._books.database.close()


def build(context: ServiceContext, stores: BillingStores) -> ASGIApp:
    """Return the application."""
    billing = Billing(context, stores)
    routes = [
        Route("/accounts/{account}/entitlement", billing.entitlement),
        Route("/accounts/{account}/invoices", billing.invoices),
        Route("/subscriptions", billing.subscribe, methods=["POST"]),
        Route("/invoices/{invoice:int}/payments", billing.pay, methods=["POST"]),
        Route("/runs", billing.run_now, methods=["POST"]),
        Route("/streams", billing.streams, methods=["POST"]),
    ]
    return service_app([*routes], context)


def _paid(ledger: Ledger, invoice: int) -> str:
    outcome = ledger.charge(invoice, _now_ms()).outcome
    if outcome is Outcome.BUSY:  # not to be remembered: the next try may end otherwise
        raise ServiceError(f"invoice {invoice} is being charged already", status=409)
    return outcome.value


def _key(request: Request) -> str:
    return request.headers.get("idempotency-key", "")


def _some(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_STREAMS:
        raise ServiceError(f"heard and ended are lists of at most {MAX_STREAMS}", status=400)
    return value


def _heard(stream: object, now_ms: int) -> Playing:
    said = stream if isinstance(stream, dict) else {}
    age_s = said.get("age_s")
    if not isinstance(age_s, int | float) or not 0 <= age_s <= MAX_AGE_S:
        raise ServiceError(f"age_s must lie between 0 and {MAX_AGE_S:g}", status=400)
    return Playing(
        session=_name(said.get("session"), "session"),
        account=_name(said.get("account"), "account"),
        device=_name(said.get("device"), "device"),
        heard_ms=now_ms - round(age_s * 1_000),
    )


def _name(value: object, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_LENGTH:
        raise ServiceError(f"{what} must be a text of 1 to {MAX_NAME_LENGTH}", status=400)
    return value
