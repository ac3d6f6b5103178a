"""Subscriptions, invoices and payments. Nobody is charged twice, whoever asks, however often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.billing.bookkeeping import CASH, REVENUE, balances, post, receivable
from demo_stack.services.billing.database import Database
from demo_stack.services.billing.plans import CURRENCY, PLANS, Plan
from demo_stack.services.billing.processor import Processor
from demo_stack.services.billing.schema import INVOICES, PAYMENTS, SUBSCRIPTIONS

CLAIM_MS = 60_000
"""How long a charge may be under way before it is taken up again, in milliseconds."""

MAX_ATTEMPTS = 4
"""Declined charges after which an invoice is given up."""

RETRY_MS = 10_000


class InvoiceState(StrEnum):
    """Where an invoice stands."""

    OPEN = "open"
    CHARGING = "charging"
    PAID = "paid"
    GIVEN_UP = "given-up"


class Outcome(StrEnum):
    """How a charge ended."""

    PAID = "paid"
    DECLINED = "declined"
    PAID_BEFORE = "paid-before"
    BUSY = "busy"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What came of a charge.

    Attributes:
        outcome: How it ended.
        moved_minor: Money that moved by it, in minor units.
    """

    outcome: Outcome
    moved_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A charge that is under way.

    Attributes:
        invoice: Its invoice.
        account: Who pays.
        amount_minor: How much, in minor units.
        key: What the processor knows it by: the same for every try of the same charge.
    """

    invoice: int
    account: str
    amount_minor: int
    key: str


class Ledger:
    """Everything that has to do with money.

    A charge is three steps: claim the invoice in a transaction, ask the processor, write what it
    said in another. Whoever crashes in between leaves a claim behind, which is taken up again with
    the same key, and the processor charges a key once.

    Args:
        database: Where it is kept.
        processor: Who moves the money.
        month_ms: Length of a billing period, in milliseconds.
    """

    def __init__(self, database: Database, processor: Processor, month_ms: int) -> None:
        self._database = database
        self._processor = processor
        self._month_ms = month_ms

    def subscribe(self, account: str, plan: Plan, first_due_ms: int) -> bool:
        """Open a subscription; return whether it is new. An account has one."""
        return self.subscribe_many({account: (plan, first_due_ms)}) == 1

    def subscribe_many(self, wanted: Mapping[str, tuple[Plan, int]]) -> int:
        """Open subscriptions, all or none; return how many are new.

        Args:
            wanted: Account to plan and the time when the first month is billed, in epoch
                milliseconds.
        """

        def work(connection: Connection) -> int:
            query = select(SUBSCRIPTIONS.c.account).where(SUBSCRIPTIONS.c.account.in_(wanted))
            known = set(connection.execute(query).scalars())
            rows = [
                {"account": account, "plan": plan.id, "period": 0, "renews_ms": due_ms}
                for account, (plan, due_ms) in wanted.items()
                if account not in known
            ]
            if rows:
                connection.execute(insert(SUBSCRIPTIONS), rows)
            return len(rows)

        try:
            return self._database.write(work)
        except IntegrityError:  # somebody else opened some of them meanwhile: now they are known
            return self._database.write(work)

    def entitlement(self, account: str) -> Plan | None:
        """Return the plan of an account; ``None`` if it has none."""
        query = select(SUBSCRIPTIONS.c.plan).where(SUBSCRIPTIONS.c.account == account)
        name = self._database.read(lambda connection: connection.execute(query).scalar())
        return PLANS.get(name) if name else None

    def invoices(self, account: str) -> list[dict[str, Any]]:
        """Return the invoices of an account, the newest first, a hundred at most."""
        query = (
            select(
                INVOICES.c.id, INVOICES.c.period, INVOICES.c.amount_minor, INVOICES.c.currency,
                INVOICES.c.state, INVOICES.c.attempts,
            )
            .where(INVOICES.c.account == account)
            .order_by(INVOICES.c.period.desc())
            .limit(100)
        )  # fmt: skip
        rows = self._database.read(lambda connection: connection.execute(query).all())
        return [dict(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def balances(self) -> dict[str, int]:
        """Return what every book holds, in minor units."""
        return self._database.read(balances)

    def invoice_due(self, now_ms: int, limit: int) -> int:
        """Write the invoices of subscriptions whose month is over; return how many."""

        def work(connection: Connection) -> int:
            due = connection.execute(
                select(SUBSCRIPTIONS)
                .where(SUBSCRIPTIONS.c.renews_ms <= now_ms)
                .order_by(SUBSCRIPTIONS.c.renews_ms)
                .limit(limit)
                .with_for_update()
            ).all()
            for subscription in due:
                self._invoice(connection, subscription, now_ms)
            return len(due)

        return self._database.write(work)

    def chargeable(self, now_ms: int, limit: int) -> list[int]:
        """Return the invoices that should be charged now, the oldest first."""
        query = (
            select(INVOICES.c.id)
            .where(INVOICES.c.state.in_([InvoiceState.OPEN, InvoiceState.CHARGING]))
            .where(INVOICES.c.due_ms <= now_ms)
            .order_by(INVOICES.c.due_ms)
            .limit(limit)
        )
        return list(self._database.read(lambda connection: connection.execute(query).scalars()))

    def charge(self, invoice: int, now_ms: int) -> Settlement:
        """Charge an invoice, unless it is paid or somebody else is at it.

        Raises:
            ServiceError: There is no such invoice.
        """
        claimed = self._database.write(lambda connection: _claim(connection, invoice, now_ms))
        if isinstance(claimed, Outcome):
            return Settlement(outcome=claimed)
        agreed = self._processor.charge(claimed.key, claimed.account, claimed.amount_minor)
        return self._database.write(
            lambda connection: _settle(connection, claimed, agreed=agreed, now_ms=now_ms)
        )

    def _invoice(self, connection: Connection, subscription: Row[Any], now_ms: int) -> None:
        plan, period = PLANS[subscription.plan], subscription.period + 1
        connection.execute(
            insert(INVOICES),
            {
                "subscription": subscription.id,
                "account": subscription.account,
                "period": period,
                "amount_minor": plan.price_minor,
                "currency": CURRENCY,
                "state": InvoiceState.OPEN,
                "attempts": 0,
                "claim": "",
                "due_ms": now_ms,
            },
        )
        amounts = {receivable(subscription.account): plan.price_minor, REVENUE: -plan.price_minor}
        post(connection, f"invoice/{subscription.id}/{period}", amounts, CURRENCY, now_ms)
        # From the last due time, not from now: a late run moves nobody's day. Months in which
        # nothing ran at all are not billed later.
        missed = (now_ms - subscription.renews_ms) // self._month_ms
        renews_ms = subscription.renews_ms + (missed + 1) * self._month_ms
        connection.execute(
            update(SUBSCRIPTIONS)
            .where(SUBSCRIPTIONS.c.id == subscription.id)
            .values(period=period, renews_ms=renews_ms)
        )


def _claim(connection: Connection, invoice: int, now_ms: int) -> Charge | Outcome:
    row = connection.execute(
        select(INVOICES).where(INVOICES.c.id == invoice).with_for_update()
    ).first()
    if row is None:
        raise ServiceError(f"no invoice {invoice}", status=404)
    if row.state == InvoiceState.PAID:
        return Outcome.PAID_BEFORE
    if row.state == InvoiceState.GIVEN_UP:
        return Outcome.GIVEN_UP
    if row.state == InvoiceState.CHARGING and row.due_ms > now_ms:
        return Outcome.BUSY
    resumed = row.state == InvoiceState.CHARGING
    attempts = row.attempts if resumed else row.attempts + 1
    key = row.claim if resumed else f"invoice-{row.id}-{attempts}"
    connection.execute(
        update(INVOICES)
        .where(INVOICES.c.id == invoice)
        .values(state=InvoiceState.CHARGING, attempts=attempts, claim=key, due_ms=now_ms + CLAIM_MS)
    )
    return Charge(invoice=row.id, account=row.account, amount_minor=row.amount_minor, key=key)


def _settle(connection: Connection, charge: Charge, *, agreed: bool, now_ms: int) -> Settlement:
    row = connection.execute(
        select(INVOICES).where(INVOICES.c.id == charge.invoice).with_for_update()
    ).one()
    if row.state != InvoiceState.CHARGING or row.claim != charge.key:
        # Whoever took the claim up again was faster, with the same key and the same answer.
        paid = row.state == InvoiceState.PAID
        return Settlement(outcome=Outcome.PAID_BEFORE if paid else Outcome.DECLINED)
    outcome = Outcome.PAID if agreed else Outcome.DECLINED
    connection.execute(
        insert(PAYMENTS),
        {
            "invoice": charge.invoice,
            "idempotency_key": charge.key,
            "amount_minor": charge.amount_minor,
            "outcome": outcome,
            "made_ms": now_ms,
        },
    )
    state = InvoiceState.PAID
    if agreed:
        amounts = {CASH: charge.amount_minor, receivable(charge.account): -charge.amount_minor}
        post(connection, f"payment/{charge.key}", amounts, row.currency, now_ms)
    else:
        state = InvoiceState.GIVEN_UP if row.attempts >= MAX_ATTEMPTS else InvoiceState.OPEN
    connection.execute(
        update(INVOICES)
        .where(INVOICES.c.id == charge.invoice)
        .values(state=state, due_ms=now_ms + RETRY_MS)
    )
    return Settlement(outcome=outcome, moved_minor=charge.amount_minor if agreed else 0)
