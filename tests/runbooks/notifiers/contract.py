"""What every notifier must do, for a notifier and a channel that works for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from runbooks.notifiers.delivery import Action, Delivery, Notifier


@dataclass(slots=True, kw_only=True)
class Case:
    """A notifier under test.

    Attributes:
        notifier: It.
        channel: Where it can deliver to.
        read: Returns what people can read there.
        finds: Whether it can look up what it has delivered.
        replies: Whether there is a place for the lines of a thread.
    """

    notifier: Notifier
    channel: str
    read: Callable[[], str]
    finds: bool = True
    replies: bool = True


def opens_edits_and_replies(case: Case, delivery: Delivery) -> None:
    """Hold it to this: a page says what is wrong; edits and replies take its reference."""
    opening = replace(delivery, channel=case.channel)
    reference = case.notifier.deliver(opening)
    assert reference
    shown = case.read()
    for wanted in ("[SEV2] Playback starts fail", "8.4 %", "outcome,failure", "inc-0001"):
        assert wanted in shown, wanted
    edit = replace(opening, action=Action.EDIT, outbox_id=42, reference=reference)
    assert case.notifier.deliver(edit) == reference
    reply = replace(
        edit, action=Action.REPLY, outbox_id=43, text="acknowledged by the incident commander"
    )
    assert case.notifier.deliver(reply)
    said = "acknowledged by the incident commander" in case.read()
    assert said == case.replies


def finds_what_has_arrived(case: Case, delivery: Delivery) -> None:
    """Hold it to this: what arrived is found by its outbox id alone; who can't look says None."""
    opening = replace(delivery, channel=case.channel)
    assert case.notifier.find(opening) is None
    reference = case.notifier.deliver(opening)
    assert case.notifier.find(opening) == (reference if case.finds else None)
    assert case.notifier.find(replace(opening, outbox_id=99)) is None
    reply = replace(opening, action=Action.REPLY, outbox_id=43, reference=reference, text="hi")
    case.notifier.deliver(reply)
    assert bool(case.notifier.find(reply)) == case.finds
