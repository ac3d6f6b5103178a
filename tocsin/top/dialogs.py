"""What lies over the living screen: a line to write, a question, one incident in full, the keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

_MAX_NOTE = 2_000


class Writing(ModalScreen[str]):
    """Asks for a line of text; an empty one, or escape, is nothing.

    Args:
        question: What is asked for.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Leave it")]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Draw the question and the line."""
        with Vertical(id="dialog"):
            yield Static(self._question, markup=False)
            yield Input(max_length=_MAX_NOTE, id="line")
            yield Static("enter: do it, escape: leave it", classes="quiet", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give what was written."""
        self.dismiss(event.value.strip())


class Asking(ModalScreen[bool]):
    """Asks whether to do something that is not undone by a key: only ``y`` does it.

    Args:
        question: What would be done.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Do it"),
        Binding("n,escape,enter", "dismiss(False)", "Leave it"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """Draw the question."""
        with Vertical(id="dialog"):
            yield Static(self._question, markup=False)
            yield Static("y: do it, any of n, enter, escape: leave it", classes="quiet")


class Choosing(ModalScreen[str]):
    """Asks for one of some words, each by its first letter; escape is none of them.

    Args:
        question: What is asked for.
        words: What there is to choose, and what to say of each.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Leave it")]

    def __init__(self, question: str, words: Mapping[str, str]) -> None:
        super().__init__()
        self._question, self._words = question, words

    def compose(self) -> ComposeResult:
        """Draw the question and a line for each word."""
        with Vertical(id="dialog"):
            yield Static(self._question, markup=False)
            for word, told in self._words.items():
                yield Static(f"  {word[0]}  {word}{told and f', {told}'}", markup=False)
            yield Static("escape: leave it", classes="quiet", markup=False)

    def on_key(self, event: Key) -> None:
        """Give the word that begins with the key."""
        for word in self._words:
            if event.key == word[0]:
                event.stop()
                self.dismiss(word)
                return


class Reading(ModalScreen[None]):
    """Shows lines to be read; every way out leads back.

    Args:
        lines: What is read.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,o,c", "dismiss", "Back")]

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__()
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Draw the lines in a box that scrolls."""
        with VerticalScroll(id="reading"):
            yield Static("\n".join(self._lines), markup=False)
