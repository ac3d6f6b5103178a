"""Reading inspections: those in stock, and what ``inspections/*.yaml`` changes or adds.

::

    apiVersion: tocsin/v1
    kind: InspectionSettings
    metadata:
      name: host-disk-space
    spec:
      above: 0.95
      for: 30m
      urgency: page
    ---
    apiVersion: tocsin/v1
    kind: Inspection
    metadata:
      name: render-queue
      displayName: Render queue is long
    spec:
      expr: name,render.queue.length,:eq,:max,(,service.name,),:by
      group_by: [service.name]
      above: 1000
      for: 10m
      why: Videos are shown late.
      hint: Start more renderers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from anomaly.findings import Urgency
from anomaly.inspections.inspection import Inspection
from anomaly.slo.documents.metadata import Metadata
from collectors.documents.composing import compose
from collectors.documents.nodes import Node, Scalar, Table
from collectors.documents.reading import Mistakes, files_of, flattened, read_all, text_of, validated
from collectors.documents.section import PLAIN, Context, Section, close_to
from collectors.documents.values import (
    BareFlag,
    BareNumber,
    DurationMs,
    PureWords,
    checked_expression,
    one_of,
)
from collectors.errors import DocumentError

LIBRARY = Path(__file__).with_name("library")
_OWN_GROUP = "own"
_SETTINGS = "InspectionSettings"
_Urgency = Annotated[Urgency, one_of(tuple(Urgency))]


class InspectionSpec(Section):
    """What is looked at, from where on it is bad, for how long, and why."""

    expr: Annotated[PureWords, checked_expression()]
    """Expression in the stack language; each of its lines is looked at by itself."""
    group_by: tuple[PureWords, ...] = ()
    """Keys that tell the lines apart; `expr` groups by them."""
    above: BareNumber | None = None
    """Values above it are bad."""
    below: BareNumber | None = None
    """Values below it are bad; give one of the two."""
    unit: PureWords = "1"
    """Unit of the values, for people: `ratio`, `s`, `1/s`, `By`, or any word."""
    for_: DurationMs = Field(alias="for", default=300_000)
    """How long it must be bad in a row, such as `10m`."""
    urgency: _Urgency = Urgency.TICKET
    """What it means: `page`, `ticket` or `info`."""
    why: PureWords
    """Why it matters."""
    hint: PureWords
    """What to do about it."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield a threshold that is lacking, or one too many."""
        del context
        if (self.above is None) == (self.below is None):
            yield self.at("above").error("give either above or below: from where on it is bad")


class InspectionFile(Section):
    """`inspections/*.yaml`: an inspection of your own, or one in place of a stock one."""

    api_version: Annotated[Literal["tocsin/v1"], one_of(("tocsin/v1",))] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Annotated[Literal["Inspection"], one_of(("Inspection",))]
    """What it is."""
    metadata: Metadata
    """Its name, labels, annotations."""
    spec: InspectionSpec
    """What is looked at."""


class InspectionSettingsSpec(Section):
    """What is different about a stock inspection; what is left out stays."""

    enabled: BareFlag = True
    """Whether it is looked at at all."""
    above: BareNumber | None = None
    """Values above it are bad."""
    below: BareNumber | None = None
    """Values below it are bad."""
    for_: DurationMs | None = Field(alias="for", default=None)
    """How long it must be bad in a row."""
    urgency: _Urgency | None = None
    """What it means."""


class InspectionSettingsFile(Section):
    """`inspections/*.yaml`: what is different about a stock inspection."""

    api_version: Annotated[Literal["tocsin/v1"], one_of(("tocsin/v1",))] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Annotated[Literal["InspectionSettings"], one_of((_SETTINGS,))]
    """What it is."""
    metadata: Metadata
    """The name of the stock inspection."""
    spec: InspectionSettingsSpec
    """What is different."""


Document = InspectionFile | InspectionSettingsFile


@cache
def stock() -> tuple[Inspection, ...]:
    """Return the inspections of the library, by group and name.

    Raises:
        DocumentError: A file of the library is wrong.
    """
    found: list[Inspection] = []
    for group in sorted(path for path in LIBRARY.iterdir() if path.is_dir()):
        for file in files_of(group):
            found += [
                replace(_inspection(document, group.name), source="")
                for document in _documents(file, PLAIN)
                if isinstance(document, InspectionFile)
            ]
    return tuple(found)


def load_inspections(directory: Path, context: Context = PLAIN) -> tuple[Inspection, ...]:
    """Return stock as the files of ``directory`` change it, and what they add.

    Raises:
        DocumentError: All mistakes of all files, with file, line and field.
    """
    mistakes, said = Mistakes(), list[Document]()
    for file in files_of(directory):
        with mistakes.kept():
            said += _documents(file, context)
    found = {one.name: one for one in stock()}
    known, taken = dict(found), dict[str, Document]()
    for document in said:
        name = document.metadata.name
        first = taken.setdefault(name, document)
        if first is not document:
            told = f"the name {name!r} is taken by {first.place.file}:{first.place.line}"
            mistakes.errors.append(document.at("metadata", "name").error(told))
        elif isinstance(document, InspectionFile):
            group = known[name].group if name in known else _OWN_GROUP
            found[name] = _inspection(document, group)
        else:
            with mistakes.kept():
                found[name] = _changed(document, known)
    mistakes.raise_any()
    return tuple(found.values())


def _documents(file: Path, context: Context) -> Sequence[Document]:
    composed = flattened(compose(text_of(file), str(file)))
    return read_all(composed, partial(_document, context=context))


def _document(node: Node, context: Context) -> Document:
    kind = node.get("kind") if isinstance(node, Table) else None
    if isinstance(kind, Scalar) and kind.text == _SETTINGS:
        return validated(node, InspectionSettingsFile, context)
    return validated(node, InspectionFile, context)


def _inspection(document: InspectionFile, group: str) -> Inspection:
    spec, metadata = document.spec, document.metadata
    return Inspection(
        name=metadata.name,
        group=group,
        title=metadata.display_name or metadata.name,
        expr=spec.expr,
        group_by=spec.group_by,
        above=None if spec.above is None else float(spec.above),
        below=None if spec.below is None else float(spec.below),
        unit=spec.unit,
        for_s=spec.for_ / 1_000,
        urgency=spec.urgency,
        why=spec.why,
        hint=spec.hint,
        source=f"{document.place.file}:{document.place.line}",
    )


def _changed(document: InspectionSettingsFile, known: Mapping[str, Inspection]) -> Inspection:
    """Return a stock inspection with what a document says of it.

    Raises:
        DocumentError: There is none of that name, or it has its threshold on the other side.
    """
    name, spec = document.metadata.name, document.spec
    before = known.get(name)
    if before is None:
        near = close_to(name, known)
        hint = f"did you mean {near!r}?" if near else "`tocsin inspections` lists them"
        raise document.at("metadata", "name").error(f"no stock inspection {name!r}; {hint}")
    for side, given, has in (
        ("above", spec.above, before.above),
        ("below", spec.below, before.below),
    ):
        if given is not None and has is None:
            other = "below" if side == "above" else "above"
            told = f"{name} is bad {other} its threshold: set {other}"
            raise document.at("spec", side).error(told)
    return replace(
        before,
        enabled=spec.enabled,
        above=before.above if spec.above is None else float(spec.above),
        below=before.below if spec.below is None else float(spec.below),
        for_s=before.for_s if spec.for_ is None else spec.for_ / 1_000,
        urgency=spec.urgency or before.urgency,
        source=f"{document.place.file}:{document.place.line}",
    )
