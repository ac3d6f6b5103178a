"""Shapes of documents: exact values, and every mistake at once with its place."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AfterValidator, Field

from collectors.documents.composing import compose
from collectors.documents.reading import load_section, read_all, validated
from collectors.documents.section import PLAIN, Context, Section, close_to
from collectors.documents.values import (
    BareNumber,
    Count,
    DurationMs,
    Flag,
    Number,
    OneOrMore,
    PureText,
    PureWords,
    Size,
    Text,
    Words,
    Written,
    at_least_one,
    between,
    checked_expression,
    matching,
    one_of,
    whole,
)
from collectors.errors import ConfigError, DocumentError, DocumentErrors, QueryError

FILE = "ops/x.yaml"


class Colour(StrEnum):
    """Choices."""

    RED = "red"
    GREEN = "green"


class Part(Section):
    """A part of a document."""

    id: Annotated[Words, matching("[a-z]+", "lower-case letters")]
    colour: Annotated[Colour, one_of(tuple(Colour))] = Colour.RED

    def mistakes(self, context: Context) -> Iterator[DocumentError]:
        """Yield what contradicts itself."""
        del context
        if self.id == "green" and self.colour is Colour.RED:
            yield self.at("colour").error("green must be green")


class Sample(Section):
    """One field of every type."""

    title: Words
    parts: Annotated[tuple[Part, ...], at_least_one("must hold a part")]
    written: Written = "w"
    text: Text = ""
    pure: PureText | None = None
    name: PureWords | None = None
    flag: Flag = False
    number: Number | None = None
    target: Annotated[BareNumber, between(0, 100)] | None = None
    steps: Annotated[BareNumber, AfterValidator(whole)] | None = None
    count: Count | None = None
    size: Size | None = None
    wait: DurationMs | None = None
    tags: dict[str, Text] = {}
    one_or_more: Annotated[tuple[Text, ...], OneOrMore] = Field((), alias="oneOrMore")
    fold: Annotated[Colour, one_of(tuple(Colour), fold=True)] | None = None
    expr: Annotated[Words, checked_expression(str.strip)] = "x"


def read(text: str, context: Context = PLAIN) -> Sample:
    """Return the only document of ``text``."""
    (sample,) = read_all(compose(text, FILE), lambda node: validated(node, Sample, context))
    return sample


def told(text: str, context: Context = PLAIN) -> list[str]:
    """Return all complaints without the file."""
    with pytest.raises(ConfigError) as caught:
        read(text, context)
    return [error.message.removeprefix(f"{FILE}:") for error in caught.value.each()]


VALUES = [
    ("written", "true", "true"),
    ("written", "2026-01-01", "2026-01-01"),
    ("text", "NO", "NO"),
    ("text", "1.10", "1.10"),
    ("text", "'true'", "true"),
    ("text", "''", ""),
    ("text", "1:30", "1:30"),
    ("pure", "'5'", "5"),
    ("pure", "5h", "5h"),
    ("pure", "off", "off"),
    ("name", "2026-01-01", "2026-01-01"),
    ("flag", "yes", True),
    ("flag", "'on'", True),
    ("flag", "False", False),
    ("number", "'0.1'", Fraction(1, 10)),
    ("number", "-1.5e3", Fraction(-1500)),
    ("target", "99.9", Fraction(999, 10)),
    ("target", ".5", Fraction(1, 2)),
    ("target", "0", Fraction(0)),
    ("steps", "3.0", 3),
    ("count", "'12'", 12),
    ("size", "10MB", 10 << 20),
    ("size", "5 KiB", 5 << 10),
    ("size", "7", 7),
    ("wait", "1m30s", 90_000),
    ("wait", "1w1ms", 604_800_001),
    ("oneOrMore", "a", ("a",)),
    ("oneOrMore", "[a, 1.10]", ("a", "1.10")),
    ("tags", "{a: 1, on: off}", {"a": "1", "on": "off"}),
    ("fold", "GREEN", Colour.GREEN),
    ("expr", "' y '", " y "),
    ("written", "", "w"),
    ("number", "~", None),
    ("number", "null", None),
]


@pytest.mark.parametrize(("field", "written", "value"), VALUES)
def test_a_value_is_what_its_field_says(field: str, written: str, value: object) -> None:
    """99.9 would be a float, a country false, an empty field an error."""
    sample = read(f"title: t\nparts: [{{id: a}}]\n{field}: {written}\n")
    assert getattr(sample, "one_or_more" if field == "oneOrMore" else field) == value


WRONG = [
    ("text", "true", "must be text, got true; put it in quotes if it is meant"),
    ("text", "[a]", "must be text, got a list"),
    ("pure", "5", "must be text, got 5; put it in quotes if it is meant"),
    ("pure", "0x1F", "must be text, got 0x1F; put it in quotes if it is meant"),
    ("name", "' '", "must not be empty"),
    ("title", "", "is required, but empty here"),
    ("title", "''", "must not be empty"),
    ("flag", "maybe", "must be true or false, got 'maybe'"),
    ("flag", "1", "must be true or false, got 1"),
    ("number", "much", "must be a number, got 'much'"),
    ("number", "1:30", "must be a number, got '1:30'"),
    ("number", ".inf", "must be a plain finite number, got .inf"),
    ("number", "nan", "must be a plain finite number, got 'nan'"),
    ("number", "0x1F", "must be a plain finite number, got 0x1F"),
    ("number", "1_000", "must be a plain finite number, got 1_000"),
    ("number", "1e999999999", "must be a plain finite number, got 1e999999999"),
    ("number", "٣", "must be a number, got '٣'"),
    ("number", "010", "must be a number without leading zeros, got 010; write 10"),
    ("number", "{a: 1}", "must be a number, got a mapping"),
    ("target", "'99.9'", "must be a number, got '99.9'; leave out the quotes"),
    ("target", "100.001", "must be from 0 to 100, got 100.001"),
    ("steps", "2.5", "must be a whole number, got 2.5"),
    ("count", "-1", "must be a whole number that is not negative, got -1"),
    ("count", "007", "must be a number without leading zeros, got 007; write 7"),
    ("count", "1e3", "must be a whole number that is not negative, got 1e3"),
    ("size", "10 parsecs", "must be a size such as 10MB, got '10 parsecs'"),
    ("wait", "fast", "must be a duration such as 15s or 1m30s, got 'fast'"),
    ("wait", "0s", "must be a duration such as 15s or 1m30s, got '0s'"),
    ("wait", "[1s]", "must be a duration such as 15s or 1m30s, got a list"),
    ("tags", "[a]", "must be a mapping of fields, got a list"),
    ("oneOrMore", "{a: b}", "must be a list, got a mapping"),
    ("fold", "gren", "must be one of red, green, got 'gren'; did you mean 'green'?"),
    ("parts", "[]", "must hold a part"),
    ("parts", "a", "must be a list, got 'a'"),
    ("titel", "a", "unknown field; known fields: title, parts, written, text, pure, name, flag, "),
    ("on_or_more", "a", "unknown field; did you mean 'oneOrMore'?"),
    ("one_or_more", "a", "unknown field; did you mean 'oneOrMore'?"),
]


@pytest.mark.parametrize(("field", "written", "message"), WRONG)
def test_a_wrong_value_is_told_with_what_is_right(field: str, written: str, message: str) -> None:
    """An operator would not learn which value is wrong, or what to write instead."""
    given = {"title": "t", "parts": "[{id: a}]"} | {field: written}
    text = "".join(f"{name}: {value}\n" for name, value in given.items())
    (complaint,) = told(text)
    line = list(given).index(field) + 1
    assert complaint.startswith(f"{line}: {field}: {message}")


def test_all_mistakes_are_told_at_once() -> None:
    """An operator would correct one mistake after another, a start of the server for each."""
    text = """\
tilte: t
parts:
- {id: A, colour: gren}
- 5
- {colour: red}
- {id: green}
- {id: a, colour: green, size: 5}
flag: maybe
flag: maybe
steps: many
"""
    assert told(text) == [
        "9: flag: given twice: keep one",
        "3: parts[0].id: must be lower-case letters, got 'A'",
        "3: parts[0].colour: must be one of red, green, got 'gren'; did you mean 'green'?",
        "4: parts[1]: must be a mapping of fields, got 5",
        "5: parts[2].id: is required",
        "6: parts[3].colour: green must be green",
        "7: parts[4].size: unknown field; known fields: id, colour",
        "8: flag: must be true or false, got 'maybe'",
        "10: steps: must be a number, got 'many'",
        "1: tilte: unknown field; did you mean 'title'?",
    ]


def test_a_mistake_of_the_text_is_not_told_twice() -> None:
    """A variable that is not set would also be a number that is none."""
    composed = compose(
        "title: t\nparts: [{id: a}]\nnumber: ${N}\nflag: ${F}\n", FILE, environment={"F": "on"}
    )
    with pytest.raises(DocumentError, match=r"^ops/x.yaml:3: number: the environment has no N;"):
        read_all(composed, lambda node: validated(node, Sample))


def test_expressions_are_parsed_where_somebody_can() -> None:
    """A slip in an expression would be found when the first step is evaluated."""

    def parse(text: str) -> None:
        if text != "good":
            raise QueryError(f"no {text}")

    text = "title: t\nparts: [{id: a}]\nexpr: 'bad '\n"
    assert told(text, Context(check_expression=parse)) == [
        "3: expr: can't be evaluated: no bad, in 'bad '"
    ]
    assert read(text).expr == "bad "
    assert read(text.replace("bad", "good"), Context(check_expression=parse)).expr == "good "


UNREADABLE = [
    (None, "0: (file): can't be read: No such file or directory"),
    (b"", "1: (document): is empty"),
    (b"# nothing\n", "1: (document): is empty"),
    (b"a: 1\n---\na: 2\n", "1: (document): holds several documents: keep one"),
    (b"\xff\xfe\x00", "0: (file): can't be read as UTF-8 text: invalid start byte"),
    (b"y" * 4_000_001, "0: (file): is larger than 4000000 bytes: split the file"),
    (b"5", "1: (document): must be a mapping of fields, got 5"),
    (b"[5]", "1: (document): must be a mapping of fields, got a list"),
]


@pytest.mark.parametrize(("content", "message"), UNREADABLE, ids=[m for _, m in UNREADABLE])
def test_a_file_that_holds_no_document_is_told(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    """The server would start with a stack trace, or without the file."""
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        load_section(path, Sample)
    assert caught.value.message == f"{path}:{message}"


def test_several_mistakes_are_one_error_with_a_line_each() -> None:
    """A caller that shows one message would show the first mistake only."""
    with pytest.raises(DocumentErrors) as caught:
        read("title: t\nparts: []\nflag: x\n")
    assert len(caught.value.message.splitlines()) == len(caught.value.each()) == 2


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("targt", ["target", "op"], "target"),
        ("Target", ["target"], "target"),
        ("SEV7", ["SEV1", "SEV2"], None),
        ("x", ["target"], None),
        ("", ["target"], None),
        ("target", [], None),
    ],
)
def test_a_slip_is_recognised_when_one_word_is_closest(
    name: str, known: list[str], meant: str | None
) -> None:
    """A hint would name one of several words that are as likely."""
    assert close_to(name, known) == meant
