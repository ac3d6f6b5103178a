"""What an expression may be refused for."""

from __future__ import annotations

from collectors.errors import QueryError


class PromqlSyntaxError(QueryError):
    """A text that is no expression; the message begins with its place, ``line:column``."""


class PromqlError(QueryError):
    """An expression that can't be answered with the samples there are."""

    status = 422
