"""A PromQL query as a field of a document."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from collectors.documents.section import WrongValueError
from collectors.documents.values import PureWords
from collectors.errors import QueryError
from collectors.promql.language.checking import kind_of
from collectors.promql.language.nodes import ValueKind
from collectors.promql.language.parsing import parse

RATE_RANGE_MS = 300_000
"""The range of rates that a document leaves open: four scrapes of a minute, and one to spare."""

_WINDOW_MARKS = ("{{.window}}", "{{ .window }}", "{{window}}", "{{ window }}")


def _checked(text: str) -> str:
    for mark in _WINDOW_MARKS:
        text = text.replace(mark, f"{RATE_RANGE_MS // 60_000}m")
    text = " ".join(text.split())
    try:
        node = parse(text)
    except QueryError as error:
        raise ValueError(f"can't be evaluated: {error.message}, in {text!r}") from error
    if kind_of(node) in (ValueKind.MATRIX, ValueKind.STRING):
        raise WrongValueError("a query with a value at each step, not a range or a text")
    return text


Query = Annotated[PureWords, AfterValidator(_checked)]
"""A query in PromQL that has a value at each step; ``{{.window}}`` is five minutes."""
