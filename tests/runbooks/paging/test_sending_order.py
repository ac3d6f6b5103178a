"""What is sent next: whoever has not heard of an outage waits for nobody who has."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runbooks.notifiers.delivery import Action
from runbooks.paging.order import Hold, Queued, hold_of, next_row
from runbooks.paging.routing import Target

HERE, THERE = Target(notifier="slack", channel="a"), Target(notifier="slack", channel="b")
ROWS = st.lists(
    st.builds(
        Queued,
        id=st.just(0),
        message=st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from([HERE, THERE])),
        action=st.sampled_from(Action),
        first=st.booleans(),
        claimed=st.booleans(),
        due_ms=st.integers(0, 20),
    ),
    max_size=12,
).map(lambda rows: [replace(row, id=at) for at, row in enumerate(rows)])
HOLDS = st.lists(st.builds(hold_of, st.sampled_from([HERE, THERE]), st.sampled_from(Action)))


def row(number: int, incident: str, action: Action, *, first: bool = False) -> Queued:
    return Queued(
        id=number,
        message=(incident, HERE),
        action=action,
        first=first,
        claimed=False,
        due_ms=0,
    )


@given(rows=ROWS, holds=HOLDS, newest=st.booleans())
def test_a_page_is_never_behind_an_edit(
    rows: list[Queued], holds: list[Hold], newest: bool
) -> None:
    """An edit, or a line in a thread, goes while a page could go."""
    chosen = next_row(rows, 10, holds, newest=newest)
    pages = [
        page
        for page in rows
        if page.action is Action.OPEN
        and not page.claimed
        and page.due_ms <= 10
        and not any(hold.covers(page.message[1], Action.OPEN) for hold in holds)
        and not any(
            older.message == page.message and older.action is Action.OPEN
            for older in rows[: page.id]
        )
    ]
    if pages:
        assert chosen is not None
        assert rows[chosen] in pages
        if any(page.first for page in pages):
            assert rows[chosen].first


@given(rows=ROWS, holds=HOLDS)
def test_each_thread_keeps_its_order(rows: list[Queued], holds: list[Hold]) -> None:
    """A line overtakes an older one, or the message that it belongs below."""
    left, order = list(rows), list[Queued]()
    while (chosen := next_row(left, 20, holds)) is not None:
        order.append(rows[chosen])
        left = [one for one in left if one.id != chosen]
    for message in {one.message for one in rows}:
        sent = [one.id for one in order if one.message == message]
        pages = [at for at in sent if rows[at].action is Action.OPEN]
        assert pages == sorted(pages)
        assert [at for at in sent if at not in pages] == sorted(set(sent) - set(pages))
        waiting = [one.id for one in left if one.message == message]
        for at in set(sent) - set(pages):
            assert not any(other < at for other in waiting)


def test_the_newest_and_the_oldest_take_turns() -> None:
    """Whatever breaks next waits behind everything that broke before."""
    rows = [row(number, f"i{number}", Action.OPEN, first=True) for number in range(4)]
    assert (next_row(rows, 0, ()), next_row(rows, 0, (), newest=True)) == (0, 3)


def test_a_limit_holds_its_own_kind_only() -> None:
    """A limit on edits delays a page, or one channel's limit another channel."""
    limited = hold_of(HERE, Action.EDIT)
    assert limited.covers(THERE, Action.EDIT)
    assert not limited.covers(HERE, Action.OPEN)
    full = hold_of(HERE, Action.REPLY)
    assert full.covers(HERE, Action.OPEN)
    assert not full.covers(THERE, Action.OPEN)
