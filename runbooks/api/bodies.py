"""Small JSON bodies of people: texts with a longest length, and who speaks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from starlette.requests import Request

from collectors.errors import DecodeError, InputError
from collectors.json_text import read_plain
from collectors.receivers.body import request_body
from runbooks.api.commands import MAX_ACTOR
from tocsin.client.wording import trimmed

MAX_FORM_BYTES = 100_000
MAX_KEPT_ACTOR = 100
"""What the database has room for: a person, and through whom."""


async def form_of(request: Request, known: Collection[str]) -> Mapping[str, Any]:
    """Return the fields of a request's JSON object.

    Args:
        request: As it came.
        known: Fields that it may have.

    Raises:
        DecodeError: The body is no object.
        InputError: It has a field that is not known.
    """
    parsed = read_plain(await request_body(request, MAX_FORM_BYTES) or b"{}")
    if not isinstance(parsed, dict):
        raise DecodeError("the body must be a JSON object")
    if unknown := sorted(set(parsed) - set(known)):
        raise InputError(f"unknown field {unknown[0][:50]!r}; known are {', '.join(known)}")
    return parsed


def text_in(form: Mapping[str, Any], name: str, longest: int, *, required: bool = False) -> str:
    """Return a field that is a text; empty when it is left out.

    Raises:
        InputError: It is something else, too long, or missing although it is needed.
    """
    value = form.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name!r} must be a text, not {str(value)[:50]!r}")
    text = value or ""
    if "\0" in text:
        raise InputError(f"{name!r} holds NUL, which no database keeps: leave it out")
    if len(text) > longest:
        raise InputError(f"{name!r} has {len(text)} characters; at most {longest}")
    if required and not text.strip():
        raise InputError(f"{name!r} is missing")
    return text


def actor_of(request: Request, form: Mapping[str, Any]) -> str:
    """Return who does it: the token's holder, or whom a caller without one says.

    Raises:
        InputError: Nobody says who it is.
    """
    said = text_in(form, "actor", MAX_ACTOR).strip()
    through = request.scope.get("actor", "")
    actor = f"{said} (through {through})" if said and through and said != through else said
    if not (actor := actor or through):
        raise InputError("'actor' is missing; say who does it")
    return trimmed(actor, MAX_KEPT_ACTOR, "…")
