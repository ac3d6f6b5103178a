"""Time zones as documents name them."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import PlainValidator, WithJsonSchema

from collectors.documents.section import WrongValueError, close_to
from collectors.documents.values import read_text


def _read_zone(raw: object) -> ZoneInfo:
    name = read_text(raw)
    known = available_timezones()
    if name not in known:
        meant = close_to(name, known)
        hint = f"did you mean {meant!r}?" if meant else ""
        raise WrongValueError("a zone of the IANA database such as Europe/Berlin", hint)
    return ZoneInfo(name)


Zone = Annotated[ZoneInfo, PlainValidator(_read_zone), WithJsonSchema({"type": "string"})]
"""A zone of the IANA database."""
