"""What takes the things that people ask in Slack, as far as the desk and its routes know it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class SlackInbox(Protocol):
    """Keeps what people ask, to be carried out after Slack was answered."""

    def take(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Keep an interaction, a command or an event; ``kind`` is as Socket Mode calls it.

        Raises:
            DecodeError: It is not what Slack sends.
            StorageError: It could not be kept.
        """
        ...
