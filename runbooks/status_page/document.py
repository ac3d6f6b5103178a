"""The operator's ``status.yaml``: what users are told of, and how its state is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from collectors.documents.nodes import Place
from collectors.documents.reading import load_section
from collectors.documents.section import PLAIN, Context, Section, close_to
from collectors.documents.values import (
    Flag,
    Number,
    OneOrMore,
    Text,
    Words,
    at_least_one,
    checked_expression,
    matching,
)
from collectors.errors import DocumentError
from runbooks.status_page.component import Component, Levels

MAX_COMPONENTS = 200

_Name = Annotated[
    Words, matching(r"[a-z0-9]+([._-][a-z0-9]+)*", "a short name in lower case, such as playback")
]
_Address = Annotated[Words, matching(r"https?://\S+", "an address such as https://example.org")]


class LevelsShape(Section):
    """What the values of a query mean."""

    rising: Flag = True
    """Whether high values are the bad ones."""
    degraded: Number | None = None
    """From here on it is degraded."""
    partial_outage: Number | None = None
    """From here on part of it fails."""
    major_outage: Number | None = None
    """From here on it fails for most."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield levels that say nothing."""
        del context
        if self.degraded is None and self.partial_outage is None and self.major_outage is None:
            yield self.place.error("give at least one of degraded, partial_outage, major_outage")


class ComponentShape(Section):
    """A part of the service that users know."""

    name: _Name
    """By which commands call it."""
    title: Words
    """What users read."""
    description: Text = ""
    """A sentence for users."""
    group: Text = ""
    """Under which heading it stands."""
    objectives: Annotated[tuple[Words, ...], OneOrMore] = ()
    """Objectives that tell its state, by their names in `/api/v2/slos`."""
    where: dict[str, Words] | None = None
    """Tags of the objectives' groups that count, such as `cloud.region: us-east-1`; all without."""
    query: Annotated[Words, checked_expression()] | None = None
    """Expression that tells its state instead, with `levels`."""
    levels: LevelsShape | None = None
    """What the values of `query` mean."""
    services: Annotated[tuple[Words, ...], OneOrMore] = ()
    """Services behind it: incidents in these are proposed for it."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield two sources at once, and a query whose values mean nothing."""
        del context
        if self.query and self.objectives:
            yield self.at("query").error("leave out either query or objectives")
        if (self.query is None) != (self.levels is None):
            yield self.at("levels").error("query and levels belong together")
        if self.where and not self.objectives:
            yield self.at("where").error("says which groups of objectives count: give objectives")


class StatusFile(Section):
    """`status.yaml`: the status page for users."""

    title: Words
    """Heading of the page, such as the name of the service."""
    url: _Address | None = None
    """Where the page is published, for links in feeds; the API's own address without."""
    support_url: _Address | None = None
    """Where users find help."""
    subscribe_url: _Address | None = None
    """Where users reach `/status` of the API, such as https://status.example.com/status: for the
    links of mails. Without it, or without the notifier `mail`, nobody can subscribe by mail."""
    components: Annotated[
        tuple[ComponentShape, ...],
        at_least_one("lists nothing; write - {name: playback, title: Playback}"),
    ]
    """In the order of the page."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield names that two components have, and more components than a page holds."""
        del context
        seen: set[str] = set()
        for index, one in enumerate(self.components):
            if one.name in seen:
                place = self.at("components", index, "name")
                yield place.error(f"two components are called {one.name!r}")
            seen.add(one.name)
        if len(self.components) > MAX_COMPONENTS:
            count = len(self.components)
            yield self.at("components").error(f"has {count} entries; at most {MAX_COMPONENTS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPageFile:
    """What ``status.yaml`` says.

    Attributes:
        title: Heading of the page.
        url: Where it is published; empty: at the API.
        support_url: Where users find help; may be empty.
        subscribe_url: Where users reach ``/status`` of the API; may be empty.
        components: In the order of the page.
        places: Where each objective is named first.
    """

    title: str
    url: str
    support_url: str
    subscribe_url: str = ""
    components: tuple[Component, ...]
    places: dict[str, Place] = field(default_factory=dict, compare=False)

    def mistakes(self, objectives: Collection[str]) -> Iterator[DocumentError]:
        """Yield objectives that are named and that nobody defines."""
        for name, place in self.places.items():
            if name not in objectives:
                meant = close_to(name, objectives)
                known = ", ".join(sorted(objectives)) or "none"
                remedy = f"did you mean {meant!r}?" if meant else f"there are: {known}"
                yield place.error(f"there is no objective {name!r}; {remedy}")


def load_status_page(path: Path, context: Context = PLAIN) -> StatusPageFile:
    """Read ``status.yaml``.

    Raises:
        DocumentError: All mistakes, with file, line and field.
    """
    shape = load_section(path, StatusFile, context)
    places: dict[str, Place] = {}
    for one in shape.components:
        for index, name in enumerate(one.objectives):
            places.setdefault(name, one.at("objectives", index))
    return StatusPageFile(
        title=shape.title,
        url=(shape.url or "").rstrip("/"),
        support_url=shape.support_url or "",
        subscribe_url=(shape.subscribe_url or "").rstrip("/"),
        components=tuple(_component(one) for one in shape.components),
        places=places,
    )


def _component(shape: ComponentShape) -> Component:
    return Component(
        name=shape.name,
        title=shape.title,
        description=shape.description,
        group=shape.group,
        objectives=shape.objectives,
        where=dict(shape.where or {}),
        query=shape.query or "",
        levels=_levels(shape.levels) if shape.levels else None,
        services=shape.services,
    )


def _levels(shape: LevelsShape) -> Levels:
    return Levels(
        rising=shape.rising,
        degraded=_float(shape.degraded),
        partial_outage=_float(shape.partial_outage),
        major_outage=_float(shape.major_outage),
    )


def _float(number: Number | None) -> float | None:
    return None if number is None else float(number)
