"""Vocabulary ``promql``: expressions of Prometheus's language among those of this one."""

from __future__ import annotations

from collectors.stacklang.expressions.promql import PromqlExpr
from collectors.stacklang.program.datatypes import MISMATCH, SERIES, DataType, Mismatch
from collectors.stacklang.program.inputs import Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.text.lexer import unescape


def _text(item: object) -> str | Mismatch:
    if isinstance(item, list) and all(isinstance(entry, str) for entry in item):
        return ",".join(unescape(entry) for entry in item)
    return item if isinstance(item, str) else MISMATCH


_TEXT = DataType("String", _text, "a text, or a list of what stands between its commas")

WORDS = Vocabulary(
    name="promql",
    depends_on=(),
    words=(
        Word(
            name="promql",
            action=takes(Parameter(type=_TEXT, name="expr", summary="in PromQL")).leaves(
                PromqlExpr
            ),
            outputs=(SERIES,),
            summary="The lines of an expression in PromQL, evaluated at the end of each step. "
            "Labels become tags, `__name__` becomes `name`. Where it has commas, write it as a "
            "list: `(,` before it and `,)` behind it. Blanks beside a comma are lost there, in "
            "quotes too; where they matter, write the comma as `\\u002c` and no list.",
            examples=(
                "sum(rate(http_requests_total[5m]))",
                "(,sum by (app, zone) (rate(http_requests_total[5m])),)",
            ),
        ),
    ),
)
