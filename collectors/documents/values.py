"""Types of single values: what a text means is decided by the field that it stands in.

Each is a type for pydantic, with a part for the JSON Schema. Readers raise ``ValueError``; the
section around adds the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

from collectors.documents.nodes import Items, Look, Scalar
from collectors.documents.section import WrongValueError, close_to, context_of
from collectors.errors import QueryError

# Long digits and exponents are refused before they become numbers: 1e999999999 would take for ever.
_NUMBER = re.compile(
    r"[-+]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?", re.ASCII
)
_OCTAL = re.compile(r"[-+]?0[0-9]+")
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_DURATION = re.compile(
    r"(?:(\d{1,9})y)?(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?"
    r"(?:(\d{1,9})ms)?",
    re.ASCII,
)
_DURATION_MS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_SIZE = re.compile(r"(\d{1,12})\s*(B|KB|KiB|MB|MiB|GB|GiB)?", re.ASCII)
_SIZES = {"B": 1, "KB": 1 << 10, "KiB": 1 << 10, "MB": 1 << 20, "MiB": 1 << 20}
_SIZES |= {"GB": 1 << 30, "GiB": 1 << 30}
_QUOTE = "put it in quotes if it is meant"


def _scalar(raw: object, wanted: str) -> Scalar:
    if not isinstance(raw, Scalar):
        raise WrongValueError(wanted)
    return raw


def read_written(raw: object) -> str:
    """Return whatever stands there as it was written."""
    return _scalar(raw, "text").text


def read_text(raw: object) -> str:
    """Return text; ``true`` and ``null`` without quotes are hardly meant as such."""
    scalar = _scalar(raw, "text")
    if scalar.look in (Look.TRUTH, Look.NOTHING):
        raise WrongValueError("text", _QUOTE)
    return scalar.text


def read_pure_text(raw: object) -> str:
    """Return text that does not look like a number either."""
    if _scalar(raw, "text").look is Look.NUMBER:
        raise WrongValueError("text", _QUOTE)
    return read_text(raw)


def read_flag(raw: object) -> bool:
    """Return true or false; yes, no, on and off will do."""
    found = _TRUTHS.get(_scalar(raw, "true or false").text.lower())
    if found is None:
        raise WrongValueError("true or false")
    return found


def read_bare_flag(raw: object) -> bool:
    """Return true or false that does not stand in quotes."""
    if _scalar(raw, "true or false").quoted:
        raise WrongValueError("true or false", "leave out the quotes")
    return read_flag(raw)


def read_number(raw: object) -> Fraction:
    """Return a finite number exactly as its digits say."""
    scalar = _scalar(raw, "a number")
    if _OCTAL.fullmatch(scalar.text):
        plain = scalar.text.lstrip("+-0") or "0"
        raise WrongValueError("a number without leading zeros", f"write {plain}")
    if _NUMBER.fullmatch(scalar.text) is None:
        finite = scalar.look is Look.NUMBER or scalar.text.lower() in ("nan", "inf", "infinity")
        raise WrongValueError("a plain finite number" if finite else "a number")
    return Fraction(scalar.text)


def read_bare_number(raw: object) -> Fraction:
    """Return a number that does not stand in quotes."""
    if _scalar(raw, "a number").quoted:
        raise WrongValueError("a number", "leave out the quotes")
    return read_number(raw)


def whole(number: Fraction) -> int:
    """Return a whole number."""
    if number.denominator != 1:
        raise WrongValueError("a whole number")
    return int(number)


def read_count(raw: object) -> int:
    """Return a whole number that is not negative."""
    scalar = _scalar(raw, "a whole number")
    if _OCTAL.fullmatch(scalar.text) is None and re.fullmatch(r"[0-9]{1,18}", scalar.text) is None:
        raise WrongValueError("a whole number that is not negative")
    return int(read_number(raw))


def read_size(raw: object) -> int:
    """Return a number of bytes such as ``10MB``."""
    match = _SIZE.fullmatch(_scalar(raw, "a size such as 10MB").text)
    if match is None:
        raise WrongValueError("a size such as 10MB")
    return int(match[1]) * _SIZES[match[2] or "B"]


def read_duration_ms(raw: object) -> int:
    """Return the milliseconds of a positive duration such as ``1m30s``."""
    wanted = "a duration such as 15s or 1m30s"
    match = _DURATION.fullmatch(_scalar(raw, wanted).text)
    parts = match.groups() if match else ()
    total = sum(int(n) * ms for n, ms in zip(parts, _DURATION_MS, strict=False) if n)
    if total <= 0:
        raise WrongValueError(wanted)
    return total


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _listed(raw: object) -> object:
    return Items([raw], raw.place) if isinstance(raw, Scalar) else raw


_ANY_TEXT = {"type": ["string", "number", "boolean", "null"]}
_TEXT = {"type": ["string", "number"]}
_WORDS = {**_TEXT, "minLength": 1}
_NUMBER_SCHEMA = {"type": "number"}
_NUMERIC = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-+.0-9eE]+$"}]}

Written = Annotated[
    str,
    BeforeValidator(read_written),
    WithJsonSchema(_ANY_TEXT),
]
"""Any text as it was written, ``true`` too."""
Text = Annotated[str, BeforeValidator(read_text), WithJsonSchema(_TEXT)]
"""Text, possibly of no characters; digits are text as they were written."""
Words = Annotated[
    str,
    BeforeValidator(read_text),
    AfterValidator(_not_blank),
    WithJsonSchema(_WORDS),
]
"""Text of at least one character."""
Secret = Annotated[
    SecretStr,
    BeforeValidator(read_text),
    WithJsonSchema(_WORDS),
]
"""Text that no log and no message shows."""
PureText = Annotated[str, BeforeValidator(read_pure_text), WithJsonSchema({"type": "string"})]
"""Text that must be quoted where it looks like a number."""
PureWords = Annotated[
    str,
    BeforeValidator(read_pure_text),
    AfterValidator(_not_blank),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
"""As ``PureText``, of at least one character."""
Flag = Annotated[bool, BeforeValidator(read_flag), WithJsonSchema({"type": "boolean"})]
"""True or false, or one of yes, no, on, off."""
BareFlag = Annotated[bool, BeforeValidator(read_bare_flag), WithJsonSchema({"type": "boolean"})]
"""True or false without quotes."""
Number = Annotated[Fraction, PlainValidator(read_number), WithJsonSchema(_NUMERIC)]
"""An exact number, in quotes or not."""
BareNumber = Annotated[Fraction, PlainValidator(read_bare_number), WithJsonSchema(_NUMBER_SCHEMA)]
"""An exact number without quotes."""
Count = Annotated[
    int, PlainValidator(read_count), WithJsonSchema({"type": "integer", "minimum": 0})
]
"""A whole number that is not negative."""
Size = Annotated[
    int,
    PlainValidator(read_size),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["10MB"]}),
]
"""A number of bytes."""
DurationMs = Annotated[
    int,
    PlainValidator(read_duration_ms),
    WithJsonSchema({"type": "string", "examples": ["15s", "1m30s"]}),
]
"""A positive length in milliseconds."""
OneOrMore = BeforeValidator(_listed)
"""Before a tuple: a single text is a list of one."""
Anything = Annotated[Any, WithJsonSchema({})]
"""A node that is somebody else's business."""


def read_word(raw: object, words: Sequence[str], *, fold: bool = False) -> str:
    """Return one of ``words``; say which one was meant when it is none.

    Args:
        raw: The node.
        words: The choices.
        fold: Whether capital letters don't count.
    """
    known = [str(word) for word in words]
    wanted = f"one of {', '.join(known)}" if len(known) > 1 else known[0]
    scalar = _scalar(raw, wanted)
    text = scalar.text.lower() if fold else scalar.text
    if text in known:
        return text
    meant = close_to(text, known) if len(known) > 1 else None
    raise WrongValueError(wanted, f"did you mean {meant!r}?" if meant else "")


def one_of(words: Sequence[str], *, fold: bool = False) -> BeforeValidator:
    """Return a reader that accepts exactly these words."""
    return BeforeValidator(partial(read_word, words=words, fold=fold))


class OneOfThese:
    """Part of a type: a reader that accepts the words that there are when a document is read.

    Args:
        words: Returns the choices; what is registered later counts, too.
    """

    def __init__(self, words: Callable[[], Sequence[str]]) -> None:
        self._words = words

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read one of the words."""
        return no_info_before_validator_function(
            lambda raw: read_word(raw, self._words()), handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """List the words."""
        return {**handler(schema), "enum": [*self._words()]}


def matching(pattern: str, meaning: str) -> AfterValidator:
    """Return a check that text matches ``pattern`` entirely; ``meaning`` says it in words."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise WrongValueError(meaning)
        return text

    return AfterValidator(check)


def between(low: float, high: float) -> AfterValidator:
    """Return a check that a number lies from ``low`` to ``high``."""

    def check(number: Fraction) -> Fraction:
        if not low <= number <= high:
            raise WrongValueError(f"from {low:g} to {high:g}")
        return number

    return AfterValidator(check)


def at_least_one(message: str) -> AfterValidator:
    """Return a check that a list is not empty; ``message`` says what it must hold."""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        if not items:
            raise ValueError(message)
        return items

    return AfterValidator(check)


def checked_expression(prepare: Callable[[str], str] = str) -> AfterValidator:
    """Return a check that text is an expression, where the context has one parse them.

    Args:
        prepare: Makes what is parsed of what was written.
    """

    def check(text: str, info: ValidationInfo) -> str:
        parse = context_of(info).check_expression
        if parse is not None:
            try:
                parse(prepare(text))
            except QueryError as error:
                raise ValueError(f"can't be evaluated: {error.message}, in {text!r}") from error
        return text

    return AfterValidator(check)
