"""Money: every cent twice in the books, and never twice from a card."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.billing.bookkeeping import CASH, REVENUE, balances, post, receivable
from demo_stack.services.billing.database import Database
from demo_stack.services.billing.ledger import CLAIM_MS, MAX_ATTEMPTS, RETRY_MS, Outcome
from demo_stack.services.billing.plans import PLANS, plan_named, plan_of
from demo_stack.services.billing.processor import SyntheticProcessor
from demo_stack.services.billing.requests import Requests

if TYPE_CHECKING:
    from tests.demo_stack.services.billing.conftest import Books

MONTH_MS = 1_000_000
BASIC, PREMIUM = PLANS["basic"], PLANS["premium"]


def test_a_month_is_invoiced_paid_and_balanced(books: Callable[..., Books]) -> None:
    """Money that does not balance is lost or invented."""
    b = books()
    assert b.ledger.subscribe("anna", BASIC, 100)
    assert not b.ledger.subscribe("anna", PREMIUM, 100)
    assert b.ledger.entitlement("anna") == BASIC
    assert b.ledger.entitlement("nobody") is None
    assert b.open_invoices(99) == []
    (invoice,) = b.open_invoices(100)
    assert b.ledger.balances() == {receivable("anna"): 799, REVENUE: -799}
    settled = b.ledger.charge(invoice, 100)
    assert (settled.outcome, settled.moved_minor) == (Outcome.PAID, 799)
    assert b.ledger.balances() == {receivable("anna"): 0, REVENUE: -799, CASH: 799}
    assert b.ledger.charge(invoice, 101).outcome is Outcome.PAID_BEFORE
    assert b.processor.charged_minor == {"anna": 799}
    assert b.open_invoices(100 + MONTH_MS - 1) == []
    assert len(b.open_invoices(100 + MONTH_MS)) == 1
    assert [one["period"] for one in b.ledger.invoices("anna")] == [2, 1]


def test_a_late_run_moves_nobodys_day_and_bills_no_month_that_nobody_saw(
    books: Callable[..., Books],
) -> None:
    """An outage of billing must not bill people for it."""
    b = books()
    b.ledger.subscribe("anna", BASIC, 100)
    late = 100 + 5 * MONTH_MS + 7
    assert len(b.open_invoices(late)) == 1
    assert b.ledger.invoice_due(100 + 6 * MONTH_MS - 1, 10) == 0
    assert b.ledger.invoice_due(100 + 6 * MONTH_MS, 10) == 1


def test_many_at_once_charge_an_invoice_once(books: Callable[..., Books]) -> None:
    """Two workers at one invoice would charge a card twice."""
    processor = SyntheticProcessor(declined_share=0.0)
    both = [books(processor), books(processor)]  # two services on one database
    both[0].ledger.subscribe("anna", PREMIUM, 0)
    (invoice,) = both[0].open_invoices(0)
    start = threading.Barrier(8)

    def charge(number: int) -> Outcome:
        start.wait()
        return both[number % 2].ledger.charge(invoice, 0).outcome

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(charge, range(8)))
    assert outcomes.count(Outcome.PAID) == 1
    assert set(outcomes) <= {Outcome.PAID, Outcome.PAID_BEFORE, Outcome.BUSY}
    assert processor.charged_minor == {"anna": 1_999}
    assert both[1].ledger.balances()[CASH] == 1_999


def test_billing_runs_of_two_regions_at_once_bill_everybody_once(
    books: Callable[..., Books],
) -> None:
    """Both regions run; nobody may be billed by both."""
    processor = SyntheticProcessor(declined_share=0.0)
    both = [books(processor), books(processor)]
    accounts = {f"a{number}": (plan_of(f"a{number}"), 0) for number in range(30)}
    start = threading.Barrier(2)

    def run(b: Books) -> int:
        start.wait()
        b.ledger.subscribe_many(accounts)
        for invoice in b.open_invoices(0):
            b.ledger.charge(invoice, 0)
        return len(b.ledger.invoices("a0"))

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, both)) == [1, 1]
    assert processor.charged_minor == {
        account: plan.price_minor for account, (plan, _) in accounts.items()
    }
    held = both[0].ledger.balances()
    assert held[CASH] == -held[REVENUE] == sum(processor.charged_minor.values())
    assert all(held[receivable(account)] == 0 for account in accounts)


class CrashingProcessor(SyntheticProcessor):
    """Moves the money, and its caller dies before it hears of it."""

    def __init__(self) -> None:
        super().__init__(declined_share=0.0)
        self.crashes = 1

    def charge(self, key: str, account: str, amount_minor: int) -> bool:
        agreed = super().charge(key, account, amount_minor)
        if self.crashes:
            self.crashes -= 1
            raise RuntimeError("the process died here")
        return agreed


def test_a_crash_between_charge_and_note_charges_nobody_twice(books: Callable[..., Books]) -> None:
    """The processor has the money; asking again must not take it again."""
    processor = CrashingProcessor()
    b = books(processor)
    b.ledger.subscribe("anna", BASIC, 0)
    (invoice,) = b.open_invoices(0)
    with pytest.raises(RuntimeError):
        b.ledger.charge(invoice, 0)
    assert b.ledger.charge(invoice, CLAIM_MS - 1).outcome is Outcome.BUSY
    assert b.ledger.chargeable(CLAIM_MS, 10) == [invoice]
    assert b.ledger.charge(invoice, CLAIM_MS).outcome is Outcome.PAID
    assert processor.charged_minor == {"anna": 799}
    assert b.ledger.balances()[CASH] == 799


def test_declined_charges_are_tried_again_and_given_up_in_the_end(
    books: Callable[..., Books],
) -> None:
    """A card is tried a few times, and not for ever."""
    b = books(SyntheticProcessor(declined_share=1.0))
    b.ledger.subscribe("anna", BASIC, 0)
    (invoice,), now_ms = b.open_invoices(0), 0
    for _ in range(MAX_ATTEMPTS):
        assert b.ledger.charge(invoice, now_ms).outcome is Outcome.DECLINED
        assert b.ledger.chargeable(now_ms + RETRY_MS - 1, 10) == []
        now_ms += RETRY_MS
    assert b.ledger.chargeable(now_ms, 10) == []
    assert b.ledger.charge(invoice, now_ms).outcome is Outcome.GIVEN_UP
    assert b.processor.charged_minor == {}
    assert b.ledger.balances() == {receivable("anna"): 799, REVENUE: -799}


def test_a_request_that_comes_twice_is_done_once_and_answered_alike(
    books: Callable[..., Books],
) -> None:
    """Retries of a client must not do the work twice."""
    b = books()
    requests = Requests(b.database)
    done: list[int] = []
    start = threading.Barrier(4)

    def work() -> dict[str, Any]:
        done.append(1)
        return {"total": len(done)}

    def ask(_number: int) -> object:
        start.wait()
        return requests.once("k1", {"n": 1}, work)

    first = requests.once("k0", {"n": 0}, lambda: {"n": 0})
    assert requests.once("k0", {"n": 0}, lambda: pytest.fail("done twice")) == first
    with pytest.raises(ServiceError, match="another request") as refused:
        requests.once("k0", {"n": 2}, dict)
    assert refused.value.status == 409
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("key", ["", "x" * 101])
def test_a_request_needs_a_key(key: str) -> None:
    """Without a key nobody can tell a retry from a second wish."""
    with pytest.raises(ServiceError, match="idempotency-key"):
        Requests(Database()).once(key, {}, dict)


def test_nothing_of_a_transaction_that_fails_stays(books: Callable[..., Books]) -> None:
    """Half a booking is worse than none."""
    b = books()

    def half(connection: Connection) -> None:
        post(connection, "one", {CASH: 5, REVENUE: -5}, "EUR", 0)
        post(connection, "one", {CASH: 5, REVENUE: -5}, "EUR", 0)

    with pytest.raises(IntegrityError):
        b.database.write(half)
    assert b.ledger.balances() == {}


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from("abcd"), st.integers(-(10**9), 10**9), min_size=1))
def test_only_what_balances_is_posted(amounts: dict[str, int]) -> None:
    """A booking that does not balance must never reach the books."""
    database = Database()
    try:
        database.write(lambda connection: post(connection, "p", amounts, "EUR", 0))
    except ServiceError:
        assert sum(amounts.values()) != 0
        assert database.read(balances) == {}
    else:
        assert sum(amounts.values()) == 0
        assert database.read(balances) == amounts
    database.close()


def test_fractions_of_a_cent_are_no_money() -> None:
    """Rounding somewhere would make cents appear."""
    database = Database()
    amounts: Any = {CASH: 0.5, REVENUE: -0.5}
    with pytest.raises(ServiceError, match="does not balance"):
        database.write(lambda connection: post(connection, "p", amounts, "EUR", 0))
    database.close()


@pytest.mark.parametrize("url", ["nonsense", "nosuch://x", "sqlite:////nowhere/at/all.sqlite"])
def test_a_database_that_is_not_there_says_what_to_check(url: str) -> None:
    """An operator must learn which part of the address is wrong."""
    with pytest.raises(ServiceError, match="billing's URL") as refused:
        Database(url)
    assert refused.value.status == 503


def test_a_database_that_breaks_later_is_an_answer_too(tmp_path: Path) -> None:
    """A broken database must be a 503 and no hanging request."""
    path = tmp_path / "ledger.sqlite"
    database = Database(f"sqlite:///{path}")
    database.close()
    path.write_bytes(b"this is no database" * 1_000)
    with pytest.raises(ServiceError, match="does not answer") as refused:
        database.read(balances)
    assert (refused.value.status, refused.value.error_type) == (503, "DatabaseError")
    database.close()


def test_plans() -> None:
    """An unknown plan must be refused, and each has its streams and price."""
    assert sum(plan.share for plan in PLANS.values()) == pytest.approx(1.0)
    assert plan_named("basic") is BASIC
    with pytest.raises(ServiceError, match="there are: basic, standard, premium"):
        plan_named("free")
    drawn = [plan_of(f"v{number:04d}").id for number in range(2_000)]
    for plan in PLANS.values():
        assert drawn.count(plan.id) / 2_000 == pytest.approx(plan.share, abs=0.04)


def test_an_unknown_invoice_is_not_found(books: Callable[..., Books]) -> None:
    """Paying what is not there must not book anything."""
    with pytest.raises(ServiceError, match="no invoice 7") as refused:
        books().ledger.charge(7, 0)
    assert refused.value.status == 404


def test_regions_that_start_together_make_the_tables_once(url: str) -> None:
    """The second region would fail on tables that are there."""
    with ThreadPoolExecutor(6) as pool:
        databases = list(pool.map(Database, [url] * 6))
    assert {one.system for one in databases} <= {"sqlite", "mariadb"}
    for one in databases:
        assert one.read(lambda connection: connection.execute(text("SELECT 7")).scalar()) == 7
        one.close()
