"""Arguments of a Web API call, from a form body or a JSON body, read with their types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from demo_stack.slack.workspace import SlackError


class Arguments:
    """Arguments by name. Structured ones may come as JSON text, as Slack's clients send them."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @classmethod
    def parse(cls, body: bytes, content_type: str, query: str) -> Arguments:
        """Read a request's arguments; raise :class:`SlackError` with Slack's own code."""
        try:
            values: dict[str, object] = dict(parse_qsl(query, keep_blank_values=True))
            text = body.decode()
        except UnicodeDecodeError as error:
            raise SlackError("invalid_charset") from error
        kind = content_type.partition(";")[0].strip().lower()
        if kind == "application/json":
            values |= _json_object(text)
        elif kind in {"application/x-www-form-urlencoded", ""}:
            values |= dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
        elif body:
            raise SlackError("invalid_post_type")
        return cls(values)

    def text(self, name: str, default: str = "") -> str:
        """Return a string argument."""
        value = self._values.get(name, default)
        if isinstance(value, bool):
            return "true" if value else "false"
        return default if value is None else str(value)

    def required(self, name: str, error: str = "invalid_arguments") -> str:
        """Return a string argument that must not be empty."""
        value = self.text(name)
        if not value:
            raise SlackError(error, [f"[ERROR] missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean argument; ``1`` and ``true`` are true."""
        return self.text(name).lower() in {"1", "true"}

    def integer(self, name: str, default: int, *, minimum: int, maximum: int, error: str) -> int:
        """Return a whole number between ``minimum`` and ``maximum``."""
        raw = self.text(name) or str(default)
        try:
            value = int(raw)
        except ValueError as bad:
            raise SlackError(error, [f"[ERROR] {name} is not a number: {raw[:50]}"]) from bad
        if not minimum <= value <= maximum:
            raise SlackError(
                error, [f"[ERROR] {name} must be within {minimum}..{maximum}: {value}"]
            )
        return value

    def structure(self, name: str, error: str) -> object:
        """Return an argument that is JSON, given as such or as text; None if absent."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            parsed: object = json.loads(value)
        except ValueError as bad:
            raise SlackError(error) from bad
        return parsed


def _json_object(text: str) -> dict[str, object]:
    try:
        parsed = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise SlackError("invalid_json") from error
    if not isinstance(parsed, dict):
        raise SlackError("json_not_object")
    return parsed
