"""Which tag keys and values there are: ``/api/v1/tags`` and ``/api/v1/tags/{key}``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from collectors.api.answers import json_response
from collectors.api.parameters import Parameters
from collectors.api.reading import MetricReader
from collectors.errors import QueryError
from collectors.stacklang.predicates.predicate import AnyOf, Query
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.words.query import WORDS as QUERY_WORDS

MAX_RESULTS = 1_000
NEXT_OFFSET_HEADER = "x-nflx-atlas-next-offset"
# Atlas does not count; the field stays for clients that read it.
UNKNOWN_COUNT = -1
# A header carries printable ASCII. An offset that is anything else is written behind this mark in
# percent encoding, and is understood so when it comes back.
_ENCODED_MARK = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsRequest:
    """A page of keys, or of one key's values; ``offset`` is the last entry of the page before."""

    key: str | None
    query: Query
    offset: str
    limit: int
    verbose: bool
    text: bool

    def page(self, store: MetricReader) -> Sequence[str]:
        """Return the entries after the offset, at most ``limit`` of them, sorted."""
        if self.key is not None:
            return store.values(self.key, self.query, self._after, self.limit)
        found = [] if self.verbose else store.keys(self.query)
        return sorted(entry for entry in found if entry > self._after)[: self.limit]

    @property
    def _after(self) -> str:
        # A verbose page is continued with "key,value".
        key, comma, value = self.offset.partition(",")
        return value if comma and key == self.key else self.offset


def tags_answer(store: MetricReader) -> Callable[[Request], Response]:
    """Return the answer to a request for keys or, with a ``key`` in the path, its values."""

    def answer(request: Request) -> Response:
        wanted = read_tags_request(Parameters.of(request), request.path_params.get("key") or None)
        page = wanted.page(store)
        headers = _next_offset(wanted, page)
        if wanted.text:
            return PlainTextResponse("\n".join(_as_text(wanted, page)), headers=headers)
        return json_response(_as_json(wanted, page), headers=headers)

    return answer


def read_tags_request(parameters: Parameters, key: str | None) -> TagsRequest:
    """Read the query string of a tags request."""
    program = parameters.text("q")
    return TagsRequest(
        key=key,
        query=AnyOf() if program is None else parse_one_query(program),
        offset=_read_offset(parameters.text("offset") or ""),
        limit=min(MAX_RESULTS, parameters.integer("limit", MAX_RESULTS, low=1)),
        verbose=parameters.flag("verbose"),
        text=parameters.text("format") == "txt",
    )


def parse_one_query(program: str) -> Query:
    """Return the single predicate that ``program`` leaves on the stack."""
    stack = _interpreter().execute(program)
    if len(stack) != 1 or not isinstance(stack[0], Query):
        raise QueryError("expected a single query on the stack, such as name,sps,:eq")
    return stack[0]


@lru_cache(maxsize=1)
def _interpreter() -> Interpreter:
    return Interpreter(QUERY_WORDS)


def _read_offset(text: str) -> str:
    marked = text.startswith(_ENCODED_MARK)
    return unquote(text.removeprefix(_ENCODED_MARK)) if marked else text


def _next_offset(wanted: TagsRequest, page: Sequence[str]) -> dict[str, str]:
    if len(page) < wanted.limit:
        return {}
    last = f"{wanted.key},{page[-1]}" if wanted.verbose else page[-1]
    plain = last.isascii() and last.isprintable() and last == last.strip()
    if not plain or last.startswith(_ENCODED_MARK):
        last = _ENCODED_MARK + quote(last, safe="")
    return {NEXT_OFFSET_HEADER: last}


def _as_text(wanted: TagsRequest, page: Sequence[str]) -> list[str]:
    if wanted.verbose:
        return [f"{wanted.key}\t{value}\t{UNKNOWN_COUNT}" for value in page]
    return list(page)


def _as_json(wanted: TagsRequest, page: Sequence[str]) -> list[object]:
    if wanted.verbose:
        return [{"key": wanted.key, "value": v, "count": UNKNOWN_COUNT} for v in page]
    return list(page)
