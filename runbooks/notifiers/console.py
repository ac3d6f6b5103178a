"""Pages on a terminal: for development, and when nothing else is set up."""

from __future__ import annotations

import sys
from typing import TextIO

from collectors.documents.section import Section
from collectors.printable import printable
from runbooks.notifiers.card import Card
from runbooks.notifiers.delivery import Action, Delivery
from runbooks.notifiers.kind import NotifierKind

NAME, CHANNEL = "console", "stderr"


class ConsoleNotifier:
    """Writes to a stream.

    Args:
        stream: Where to; standard error by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    @property
    def name(self) -> str:
        """``console``."""
        return NAME

    def deliver(self, delivery: Delivery) -> str:
        """Write the page or the update; an edit shows nothing new on a terminal."""
        stream = self._stream or sys.stderr
        if delivery.action is Action.OPEN:
            again = f"again: {delivery.text}\n" if delivery.text else ""
            stream.write(printable(again + page_text(delivery.card)) + "\n")
        elif delivery.action is Action.REPLY:
            stream.write(printable(f"{delivery.card.incident_id}: {delivery.text}") + "\n")
        stream.flush()
        return delivery.reference or delivery.card.incident_id

    def find(self, delivery: Delivery) -> str | None:
        """Return None: what a terminal has shown can't be looked up."""
        del delivery
        return None


def page_text(card: Card) -> str:
    """Return a page as plain text."""
    lines = [card.headline]
    lines += [f"  {card.sentence}"] if card.sentence else []
    lines += [f"  {card.called.words}"] if card.called else []
    lines += [f"  {name}: {value}" for name, value in card.fields]
    for item in card.evidence:
        lines += [f"  {item.explanation}", f"    {item.expression}"]
        if item.measured:
            lines += [f"    {item.observed} against {item.baseline} over {item.window}"]
    lines += [f"  log lines: {words}: {address}" for words, address in card.lines]
    lines += [f"  diagnosis: {line}" for line in card.diagnosis]
    lines += [f"  {label}: {address}" for label, address in card.links]
    return "\n".join(lines)


class ConsoleParameters(Section):
    """Pages on the standard error of `tocsin serve`; there is nothing to set."""


NOTIFIER = NotifierKind(
    name=NAME, parameters=ConsoleParameters, make=lambda _parameters: ConsoleNotifier()
)
