"""Warnings and infos that go with an answer."""

from __future__ import annotations

from collectors.promql.language.nodes import Node
from collectors.promql.language.tokens import place

MAX_ANNOTATIONS = 10
"""How many warnings, and how many infos, one answer may carry over HTTP."""


class Annotations:
    """Collects what is to be said of an answer, each thing once.

    Args:
        text: The expression.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._warnings: dict[str, None] = {}
        self._infos: dict[str, None] = {}

    @property
    def warnings(self) -> list[str]:
        """What makes the answer doubtful."""
        return list(self._warnings)

    @property
    def infos(self) -> list[str]:
        """What may be not what was meant."""
        return list(self._infos)

    def warn(self, message: str, node: Node) -> None:
        """Add a warning about a part of the expression."""
        self._warnings[f"PromQL warning: {message} ({place(self._text, node.start)})"] = None

    def inform(self, message: str, node: Node) -> None:
        """Add an info about a part of the expression."""
        self._infos[f"PromQL info: {message} ({place(self._text, node.start)})"] = None
