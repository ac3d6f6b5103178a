"""How documents write matchers."""

from __future__ import annotations

from typing import Annotated

from pydantic import PlainValidator, WithJsonSchema

from collectors.documents.section import WrongValueError
from collectors.documents.values import OneOrMore, read_text
from collectors.errors import InputError
from runbooks.alerts.matchers import Matcher, parse_matcher


def _read_matcher(raw: object) -> Matcher:
    try:
        return parse_matcher(read_text(raw))
    except InputError as error:
        raise WrongValueError('a matcher such as severity="SEV1"', error.message) from None


MatcherText = Annotated[Matcher, PlainValidator(_read_matcher), WithJsonSchema({"type": "string"})]
Matchers = Annotated[tuple[MatcherText, ...], OneOrMore]
"""One or a list of ``name="value"``, ``!=``, ``=~`` or ``!~``; all must hold."""
