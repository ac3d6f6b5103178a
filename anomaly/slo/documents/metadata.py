"""What every document of this kind starts with: apiVersion, kind and metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic.alias_generators import to_camel

from collectors.documents.nodes import Scalar, is_nothing
from collectors.documents.section import Context, Section, WrongValueError, context_of
from collectors.documents.values import OneOrMore, PureText, PureWords, one_of
from collectors.errors import DocumentError

API_VERSION = "openslo/v1"
MAX_DESCRIPTION = 1050
_MAX_STRICT_DISPLAY_NAME = 63

_STRICT_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_STRICT_MEANING = "an RFC 1123 label (lower-case letters, digits and dashes, at most 63)"
_NAME = re.compile(r"[a-z0-9][a-z0-9.|/\\-]{0,254}")
_MEANING = "a name of lower-case letters, digits, dots and dashes, at most 255"
_KEY = re.compile(r"([a-z0-9.-]{1,253}/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")
_KEY_MEANING = "a label key (letters, digits, dashes, dots, at most 63, with an optional domain/)"


def _name(text: str, info: ValidationInfo) -> str:
    strict = context_of(info).strict
    if (_STRICT_NAME if strict else _NAME).fullmatch(text) is None:
        raise WrongValueError(_STRICT_MEANING if strict else _MEANING)
    return text


def _lenient_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        raise WrongValueError(_MEANING)
    return text


def _display_name(text: str, info: ValidationInfo) -> str:
    if context_of(info).strict and len(text) > _MAX_STRICT_DISPLAY_NAME:
        raise ValueError(f"{len(text)} characters, at most {_MAX_STRICT_DISPLAY_NAME} are allowed")
    return text


def _description(text: str) -> str:
    if len(text) > MAX_DESCRIPTION:
        raise ValueError(f"{len(text)} characters, at most {MAX_DESCRIPTION} are allowed")
    return text


def _annotation(raw: object) -> Scalar:
    if not isinstance(raw, Scalar):
        raise WrongValueError("text, as every annotation is")
    return raw


Name = Annotated[PureText, AfterValidator(_name)]
"""Name of an object or a reference to one."""
LenientName = Annotated[PureText, AfterValidator(_lenient_name)]
"""As ``Name``, in strict mode, too."""
Description = Annotated[PureText, AfterValidator(_description)]
"""At most 1,050 characters."""
Annotation = Annotated[
    Scalar, PlainValidator(_annotation), WithJsonSchema({"type": ["string", "number", "boolean"]})
]
"""Any scalar with its place."""


class OpenSloSection(Section):
    """A part of an OpenSLO document: names of fields are in camel case."""

    model_config = ConfigDict(alias_generator=to_camel)


class Metadata(OpenSloSection):
    """Names, labels and annotations."""

    name: Name
    """Unique name."""
    display_name: Annotated[PureWords, AfterValidator(_display_name)] | None = None
    """Name for people."""
    labels: dict[str, Annotated[tuple[PureText, ...], OneOrMore]] = {}
    """Anything that groups objects; a value or a list."""
    annotations: dict[str, Annotation] = {}
    """Anything else; those of the domain tocsin.dev have a meaning here."""

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield keys that are none."""
        del context
        for field in ("labels", "annotations"):
            for key in getattr(self, field):
                if _KEY.fullmatch(key) is None:
                    wrong = WrongValueError(_KEY_MEANING).told(repr(key[:60]))
                    yield self.at(field, key).error(wrong)
        for key, value in self.annotations.items():
            if is_nothing(value):
                yield self.at("annotations", key).error("is required, but empty here")


class OpenSloDocument(OpenSloSection):
    """A whole document."""

    api_version: Annotated[Literal["openslo/v1"], one_of((API_VERSION,))]
    """The version of the standard."""
    metadata: Metadata
    """Name, labels, annotations."""


class Described(OpenSloSection):
    """A part that may say in words what it is about."""

    description: Description = ""
    """At most 1,050 characters."""


def unknown_when_strict(section: Section, context: Context, *names: str) -> Iterator[DocumentError]:
    """Yield fields that only the specification's own examples have."""
    for name in names:
        if context.strict and name in section.names():
            yield section.at(name).error("unknown field")
