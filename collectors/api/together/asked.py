"""The body of ``POST /api/v2/together``: which questions are asked, and what is known of each."""

from __future__ import annotations

import json
from dataclasses import dataclass

from collectors.api.parameters import MAX_QUERY_STRING_CHARS, refuse
from collectors.errors import TooLargeError

MAX_QUESTIONS = 128
"""Questions of one request."""

_MAX_VERSION_CHARS = 80
_BEGINNING = "/api/"
_OTHER = "/health"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One of many.

    Attributes:
        path: As a GET of its own has it, quoted, without its query.
        query: What follows the question mark, quoted.
        known: Version of the answer that the asker has; empty: none.
    """

    path: str
    query: str
    known: str


def read_questions(body: bytes) -> list[Question]:
    """Return the questions of a body such as ``{"questions": [{"get": "/api/v1/tags"}]}``.

    Raises:
        QueryError: It is not of this shape.
        TooLargeError: There are more than ``MAX_QUESTIONS``, or one is longer than a request of
            its own may be.

    >>> read_questions(b'{"questions": [{"get": "/api/v1/tags?q=:true", "known": "a1"}]}')
    [Question(path='/api/v1/tags', query='q=:true', known='a1')]
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise refuse(f"the body is not JSON: {error}") from error
    rows = told.get("questions") if isinstance(told, dict) else None
    if not isinstance(rows, list):
        raise refuse('the body must be {"questions": [{"get": "/api/…"}, …]}')
    if len(rows) > MAX_QUESTIONS:
        raise TooLargeError(
            f"{len(rows)} questions are asked together, at most {MAX_QUESTIONS} may be; ask the "
            "others in another request"
        )
    return [_question(row, at) for at, row in enumerate(rows)]


def is_version(text: str) -> bool:
    """Return whether a text can be the version of an answer."""
    return text.isascii() and text.isalnum() and len(text) <= _MAX_VERSION_CHARS


def _question(row: object, at: int) -> Question:
    get = row.get("get") if isinstance(row, dict) else None
    known = row.get("known", "") if isinstance(row, dict) else None
    if not isinstance(get, str) or not isinstance(known, str):
        raise refuse(f'question {at} must be {{"get": "/api/…", "known": "…"}}')
    path, _, query = get.partition("?")
    if len(query) > MAX_QUERY_STRING_CHARS or len(path) > MAX_QUERY_STRING_CHARS:
        raise TooLargeError(
            f"question {at} has {len(get)} characters, at most {MAX_QUERY_STRING_CHARS} are read"
        )
    if not (path.startswith(_BEGINNING) or path == _OTHER) or not get.isascii():
        raise refuse(f"question {at} must be a path below /api/, percent-encoded: {get[:80]!r}")
    if known and not is_version(known):
        raise refuse(f"question {at}: 'known' is no version that was ever told: {known[:80]!r}")
    return Question(path=path, query=query, known=known)
