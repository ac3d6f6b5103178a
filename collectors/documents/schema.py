"""JSON Schema of documents, for editors and for the reference pages."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
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
