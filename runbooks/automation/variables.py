"""Values of an incident in a runbook's texts: each is text where it is put, whatever it holds.

``{service.name}`` stands for a value. Tags come from strangers: what they hold can't end a token of
an expression, a segment of a path, a text of JSON, or an argument. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from collectors.errors import InputError
from collectors.stacklang.text.lexer import escape

MAX_VALUE = 200
"""Characters of a value that is put into a step."""

SCOPE = "scope"
FINDING_EXPRESSION = "finding.expression"
CHANGE_SERVICE = "change.service"
"""The service whose change is suspect; where it is felt, if no change is."""

SECRET = "secret."  # noqa: S105 - what variables that stand for one begin with
Values = Mapping[str, str]

_NAMED = re.compile(r"\{([a-z][a-z0-9_.-]*)\}")
_NUMBER = re.compile(r"\{([a-z][a-z0-9_.-]*):number\}")
_DIGITS = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*")
_HEADER = re.compile(r"[\x20-\x7e]*")


def names_in(*templates: str) -> set[str]:
    """Return the variables that texts name.

    >>> sorted(names_in("{service.name} in {cloud.region}, [0-9]{3}"))
    ['cloud.region', 'service.name']
    """
    patterns = (_NAMED, _NUMBER)
    return {n for template in templates for pattern in patterns for n in pattern.findall(template)}


def checkable(expression: str) -> str:
    """Return an expression with something in the place of its variables, to be parsed.

    >>> checkable("name,x,:eq,{scope},:and,zone,{zone},:eq,:and")
    'name,x,:eq,:true,:and,zone,value,:eq,:and'
    """
    instead = {SCOPE: ":true", FINDING_EXPRESSION: ":true,:sum"}
    return _NAMED.sub(lambda found: instead.get(found[1], "value"), expression)


def in_expression(template: str, values: Values) -> str:
    r"""Return an expression with the values as single tokens of the language.

    >>> in_expression("name,{a},:eq", {"a": "x,:true,:or"})
    'name,x\\u002c\\u003atrue\\u002c\\u003aor,:eq'
    """
    whole = {SCOPE, FINDING_EXPRESSION}

    def token(name: str, value: str) -> str:
        return value if name in whole else escape(value)

    return _filled(template, values, token)


def scope_query(scope: Mapping[str, str]) -> str:
    r"""Return the query of all that has these tags.

    >>> scope_query({"service.name": "pay", "zone": "a:b"})
    'service.name,pay,:eq,zone,a\\u003ab,:eq,:and'
    """
    terms = [f"{escape(key)},{escape(value)},:eq" for key, value in sorted(scope.items())]
    return ",".join([terms[0], *(f"{term},:and" for term in terms[1:])]) if terms else ":true"


def in_path(template: str, values: Values) -> str:
    """Return a path with the values percent-encoded.

    >>> in_path("/instances/{id}?q={q}", {"id": "a/../b", "q": "x&y=1"})
    '/instances/a%2F..%2Fb?q=x%26y%3D1'

    Raises:
        InputError: A value would name another folder.
    """

    def encoded(name: str, value: str) -> str:
        if not value.strip("."):
            raise InputError(f"{name} is {value!r}, which can't stand in a path")
        return quote(value, safe="")

    return _filled(template, values, encoded)


def in_json(template: str, values: Values) -> str:
    r"""Return JSON whose texts hold the values; a text ``{name:number}`` becomes a number.

    >>> in_json('{"service": "{s}", "instances": 3}', {"s": 'x", "all": "y'})
    '{"service": "x\\", \\"all\\": \\"y", "instances": 3}'
    """

    def inside(node: Any) -> Any:
        if isinstance(node, str):
            number = _NUMBER.fullmatch(node)
            return _number(number[1], values) if number else in_value(node, values)
        if isinstance(node, list):
            return [inside(item) for item in node]
        if isinstance(node, dict):
            return {key: inside(item) for key, item in node.items()}
        return node

    return json.dumps(inside(json.loads(template)))


def _number(name: str, values: Values) -> int | float:
    text = in_value(f"{{{name}}}", values)
    if not _DIGITS.fullmatch(text):
        raise InputError(f"{name} is {text[:50]!r}, which is no number")
    return float(text) if "." in text else int(text)


def in_header(template: str, values: Values) -> str:
    """Return a header's value.

    Raises:
        InputError: It would hold more than printable ASCII.
    """
    text = _filled(template, values, lambda _, value: value)
    if not _HEADER.fullmatch(text):
        raise InputError("a header may hold printable ASCII only; a value holds more")
    return text


def in_argument(template: str, values: Values) -> str:
    """Return one argument of a command; it stays one, and is never an option.

    Raises:
        InputError: A value at its beginning would be an option.
    """
    text = _filled(template, values, lambda _, value: value)
    if text.startswith("-") and not template.startswith("-"):
        raise InputError(f"{text[:50]!r} would be an option; values can't begin with a dash")
    return text


def in_value(template: str, values: Values) -> str:
    """Return a text by itself, such as a command's parameter.

    Raises:
        InputError: A value is not known.
    """
    return _filled(template, values, lambda _, value: value)


def checked_value(name: str, value: str) -> str:
    """Return a value that may be put into a step.

    Raises:
        InputError: It is empty, too long, or holds what can't be printed.
    """
    if not value:
        raise InputError(f"{name} is empty")
    if len(value) > MAX_VALUE:
        raise InputError(f"{name} has {len(value)} characters; at most {MAX_VALUE}")
    if not _PRINTABLE.fullmatch(value):
        raise InputError(f"{name} holds characters that can't be printed: {value[:50]!r}")
    return value


def without(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` with secrets hidden."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def _filled(template: str, values: Values, write: Callable[[str, str], str]) -> str:
    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            raise InputError(f"{{{name}}} is not known of this incident; say it with {name}=…")
        return write(name, values[name])

    return _NAMED.sub(one, template)
