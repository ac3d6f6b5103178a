"""A kind of notifier: what its file says of it to whoever configures, runs and tests it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Generic, TypeVar

from collectors.documents.section import Section
from runbooks.notifiers.delivery import Notifier

P = TypeVar("P", bound=Section)


def _nothing(parameters: Section) -> None:
    del parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast something is done at most: ``burst`` at once, then ``per_s`` a second."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierKind(Generic[P]):
    """One notifier of the registry.

    Attributes:
        name: What routes and ``notifiers.yaml`` call it; a Python identifier.
        parameters: What it can be told in ``notifiers.yaml``, with the bounds of each. Settings
            whose names begin with its name come before what the file says.
        make: Makes one, or returns None while it lacks what it needs. It connects to nobody yet.
            Raises ``ConfigError`` when it is set up by half.
        channels: Returns the channels that routes may name; None when any may be right.
        default_channel: Returns the channel that all incidents go to where no routes are given;
            None to be told only where routes say so.
        important_only: Whether its threads get only the updates that matter to somebody who is
            not at work on the incident: a mail for each note would be read by nobody.
        messages: How fast a channel is sent new messages and thread lines; None: as they come.
        edits: How fast messages are edited, in all channels together; None: as they come.
    """

    name: str
    parameters: type[P]
    make: Callable[[P], Notifier | None]
    channels: Callable[[P], Collection[str] | None] = _nothing
    default_channel: Callable[[P], str | None] = _nothing
    important_only: bool = False
    messages: Pace | None = None
    edits: Pace | None = None
