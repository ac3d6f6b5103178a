"""Files of the configuration directory, written through the API: drafts first, then for good."""

from __future__ import annotations

from typing import NotRequired, TypedDict, cast
from urllib.parse import quote

from tocsin.client.health_shapes import ConfigurationState, Problem
from tocsin.client.transport import Transport

_PATH = "/api/v2/configuration"


class FilesState(TypedDict):
    """Whether files can be written; ``why_not`` is empty if they can."""

    writable: bool
    why_not: str
    kinds: list[str]


class FileDraft(TypedDict):
    """A file before it is written; ``replaces`` marks what stands there now."""

    kind: str
    name: str
    path: str
    text: str
    replaces: str
    problems: list[Problem]


class FileWish(TypedDict):
    """What is wanted of a file; see ``docs/how-to/charts-of-your-own.md``."""

    kind: str
    name: str
    expr: str
    title: NotRequired[str]
    unit: NotRequired[str]
    legend: NotRequired[str]
    stack: NotRequired[bool]
    panel: NotRequired[str]
    urgency: NotRequired[str]
    direction: NotRequired[str]
    above: NotRequired[float | None]
    below: NotRequired[float | None]


class FileWritten(ConfigurationState):
    """What a written file changed."""

    path: str


class Files:
    """Calls about files of the configuration directory."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def state(self) -> FilesState:
        """Return whether files can be written."""
        return cast("FilesState", self._transport.get(_PATH))

    def draft(self, wish: FileWish) -> FileDraft:
        """Return a file as it would be written, with what ``check-config`` would say of it."""
        return cast("FileDraft", self._transport.post(f"{_PATH}/drafts", {**wish}))

    def write(self, draft: FileDraft) -> FileWritten:
        """Write a draft and put it into force.

        Raises:
            RefusedError: It has mistakes, was changed meanwhile, or can't be written.
        """
        path = f"{_PATH}/{quote(draft['kind'], safe='')}/{quote(draft['name'], safe='')}"
        body = {"text": draft["text"], "replaces": draft["replaces"]}
        return cast("FileWritten", self._transport.put(path, body))
