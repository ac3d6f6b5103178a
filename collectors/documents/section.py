"""Shapes: a mapping of a document as a pydantic model that knows its places and tells all mistakes.

A model's fields have the types of :mod:`collectors.documents.values`, other sections, or tuples and
dictionaries of these. A field that is named and left empty counts as left out. What the types can't
say (two fields that contradict each other) is said by :meth:`Section.mistakes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from collectors.documents.nodes import Items, Place, Scalar, Table
from collectors.errors import DocumentError

_MUST_BE = {
    "dict_type": "a mapping of fields",
    "list_type": "a list",
    "tuple_type": "a list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What validation may want to know beyond the document.

    Attributes:
        strict: Whether a standard is taken by its letter.
        check_expression: Raises ``QueryError`` for an expression that can't be parsed; None leaves
            expressions to whoever evaluates them.
    """

    strict: bool = False
    check_expression: Callable[[str], object] | None = None


PLAIN = Context()
"""A document by itself."""


class WrongValueError(ValueError):
    """A value is not what it must be; the message tells both.

    Args:
        wanted: What it must be, after "must be".
        hint: What to do.
    """

    def __init__(self, wanted: str, hint: str = "") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.hint = hint

    def told(self, found: object) -> str:
        """Return the message about a node."""
        hint = f"; {self.hint}" if self.hint else ""
        return f"must be {self.wanted}, got {found}{hint}"


class MistakesError(ValueError):
    """Mistakes with their places, on their way through pydantic."""

    def __init__(self, errors: Iterable[DocumentError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(error.message for error in self.errors))


class Section(BaseModel):
    """A mapping of a document; unknown fields are mistakes.

    What a shape needs to be read is built with the first document of it, not with the import: a
    server has some seventy shapes and reads a few of them.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True
    )

    _table: Table = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _read(
        cls, raw: object, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if not isinstance(raw, Table):
            message = WrongValueError("a mapping of fields").told(raw)
            raise MistakesError([place_of(raw).error(message)])
        try:
            section = handler(raw.given())
        except ValidationError as error:
            raise MistakesError(_mistakes(error, cls, raw)) from None
        section._table = raw  # noqa: SLF001 - of this class
        errors = tuple(section.mistakes(context_of(info)))
        if errors:
            raise MistakesError(errors)
        return section

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what is wrong although each field by itself is right."""
        del context
        yield from ()

    @classmethod
    def missing_field(cls, name: str) -> str:
        """Return what to say of a field that must be there and is not."""
        del name
        return "is required"

    @classmethod
    def unknown_field(cls, name: str) -> str | None:
        """Return what to say of an unknown field; None leaves it to its likeness to known ones."""
        del name
        return None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self._table.place

    def at(self, *path: str | int) -> Place:
        """Return the place of a field, or where it would stand.

        Args:
            path: Names as the document has them, and positions in lists.
        """
        return self._table.at(*path)

    def fields_of(self, name: str) -> Table:
        """Return a field that is a mapping of somebody else's fields, as it was written."""
        found = self._table[name]
        if not isinstance(found, Table):
            raise TypeError(f"{name} is {found}")
        return found

    def names(self) -> tuple[str, ...]:
        """Return the names of the fields that the document gives."""
        return tuple(self._table.given())


def context_of(info: ValidationInfo) -> Context:
    """Return the context that a document is validated in."""
    return info.context if isinstance(info.context, Context) else PLAIN


def place_of(node: object) -> Place:
    """Return where a node stands."""
    return node.place if isinstance(node, Scalar | Items | Table) else Place(file="", line=0)


def errors_of(error: ValidationError) -> list[DocumentError]:
    """Return pydantic's complaints outside of sections with their places."""
    return [told for one in error.errors(include_url=False) for told in _told(one)]


def close_to(name: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that ``name`` may be a slip of; None if several are as close.

    >>> close_to("Targt", ["target", "op"])
    'target'
    """
    folded = {word.lower(): word for word in known}
    best, *others = [*get_close_matches(name.lower(), list(folded), n=2), ""]
    if not best or (others[0] and _likeness(name, others[0]) == _likeness(name, best)):
        return None
    return folded[best]


def _likeness(name: str, word: str) -> float:
    return SequenceMatcher(None, word, name.lower()).ratio()


def _mistakes(error: ValidationError, model: type[Section], raw: Table) -> list[DocumentError]:
    """Return all complaints about a mapping; a slip is not told as a missing field, too."""
    complaints = error.errors(include_url=False)
    known = [info.alias or name for name, info in model.model_fields.items()]
    unused = [name for name in known if name not in raw]
    unknown = (_own_field(one) for one in complaints if one["type"] == "extra_forbidden")
    meant = {name: close_to(name, unused) for name in unknown if name is not None}
    errors: list[DocumentError] = []
    for one in complaints:
        name = _own_field(one)
        if one["type"] == "missing" and name is not None:
            empty = ", but empty here" if name in raw else ""
            if name not in meant.values():
                errors.append(raw.at(name).error(model.missing_field(name) + empty))
        elif one["type"] == "extra_forbidden" and name is not None:
            told = model.unknown_field(name) or f"unknown field; {_remedy(meant[name], known)}"
            errors.append(raw.key_place(name).error(told))
        else:
            errors.extend(_told(one))
    return errors


def _own_field(one: Any) -> str | None:
    """Return the field of the mapping itself that a complaint is about, None when deeper."""
    return str(one["loc"][0]) if len(one["loc"]) == 1 else None


def _remedy(meant: str | None, known: Sequence[str]) -> str:
    return f"did you mean {meant!r}?" if meant else f"known fields: {', '.join(known)}"


def _told(one: Any) -> Iterator[DocumentError]:
    """Yield one of pydantic's complaints with its place."""
    raw = one["input"]
    cause = one.get("ctx", {}).get("error")
    if isinstance(cause, MistakesError):
        yield from cause.errors
    elif isinstance(cause, WrongValueError):
        yield place_of(raw).error(cause.told(raw))
    elif one["type"] in _MUST_BE:
        yield place_of(raw).error(WrongValueError(_MUST_BE[one["type"]]).told(raw))
    else:
        yield place_of(raw).error(str(cause or one["msg"]))
