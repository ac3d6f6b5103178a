"""Double entries: what one book gives another takes, in minor units, to the last cent."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, insert, select

from demo_stack.chassis.errors import ServiceError
from demo_stack.services.billing.schema import ENTRIES

CASH = "cash"
REVENUE = "revenue"


def receivable(account: str) -> str:
    """Return the book of what an account owes us."""
    return f"receivable/{account}"


def post(
    connection: Connection, posting: str, amounts: Mapping[str, int], currency: str, now_ms: int
) -> None:
    """Write one posting.

    Args:
        connection: A transaction that writes.
        posting: Names it; the same posting can't be made twice.
        amounts: Book to amount in minor units: positive takes (debit), negative gives (credit).
        currency: Of all of them.
        now_ms: The present, in epoch milliseconds.

    Raises:
        ServiceError: The amounts do not add up to nothing, or an amount is no whole number.
    """
    wrong = [amount for amount in amounts.values() if type(amount) is not int]
    if wrong or sum(amounts.values()) != 0:
        raise ServiceError(f"posting {posting!r} does not balance: {dict(amounts)}")
    rows = [
        {
            "posting": posting,
            "book": book,
            "amount_minor": amount,
            "currency": currency,
            "made_ms": now_ms,
        }
        for book, amount in amounts.items()
    ]
    connection.execute(insert(ENTRIES), rows)


def balances(connection: Connection) -> dict[str, int]:
    """Return what every book holds, in minor units; together it is nothing, always."""
    rows = connection.execute(
        select(ENTRIES.c.book, func.sum(ENTRIES.c.amount_minor)).group_by(ENTRIES.c.book)
    )
    return {book: int(total) for book, total in rows}
