"""JSON Schema of documents, for editors and for the reference pages."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from textwrap import dedent
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from collectors.documents.section import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Writes exact numbers as numbers, and no titles that only repeat a name."""

    def encode_default(self, dft: Any) -> Any:
        """Return a default as JSON."""
        return float(dft) if isinstance(dft, Fraction) else super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return no: the field's name says it."""
        del schema
        return False

    def model_schema(self, schema: Any) -> dict[str, Any]:
        """Return a shape with what the text below each field says of it."""
        found: dict[str, Any] = super().model_schema(schema)
        model, properties = schema["cls"], found.get("properties", {})
        for field, text in _texts(model):
            info = model.model_fields.get(field)
            name = field if info is None else info.alias or field
            if name in properties:
                properties[name] = {**properties[name], "description": text}
        return found


def _texts(model: type) -> Iterator[tuple[str, str]]:
    """Yield each field's name and the string below it, those of base classes first.

    Pydantic could do it while it makes the class, for a quarter of the time that a server takes to
    import everything; only schemas need it.
    """
    for cls in reversed(model.__mro__):
        if issubclass(cls, Section) and cls is not Section:
            yield from _texts_in(cls)


def _texts_in(cls: type) -> Iterator[tuple[str, str]]:
    try:
        source = inspect.getsource(cls)
    except OSError:  # put together in the program, of fields that bring their own descriptions
        return
    body = ast.parse(dedent(source)).body[0]
    lines = body.body if isinstance(body, ast.ClassDef) else []
    for field, below in pairwise(lines):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text.strip())


def schema_of(models: Sequence[type[Section]]) -> dict[str, Any]:
    """Return the JSON Schema of a document that has the shape of one of ``models``."""
    pairs = [(model, "validation") for model in models]
    references, schema = models_json_schema(
        pairs,  # type: ignore[arg-type]
        by_alias=True,
        schema_generator=_Generator,
    )
    shapes = [references[model, "validation"] for model in models]
    if len(shapes) == 1:
        return {"$schema": DIALECT, **shapes[0], **schema}
    return {"$schema": DIALECT, "oneOf": shapes, **schema}
