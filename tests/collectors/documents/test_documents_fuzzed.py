"""Whatever a file holds: a value, or the house's own error at the right line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from collectors.documents.composing import compose
from collectors.documents.nodes import Items, Node, Scalar, Table
from collectors.documents.reading import read_all, validated
from collectors.documents.section import Section
from collectors.documents.values import Flag, Number, Text
from collectors.errors import ConfigError

FILE = "x.yaml"
WORDS = ["a", "texts", "inner", "many", "number", ":", " ", "\n", "\n  ", "- ", "[", "]", "{", "}"]
WORDS += [
    ",",
    "&x ",
    "*x",
    "<<",
    "? ",
    "|",
    ">",
    "'",
    '"',
    "\\",
    "#",
    "---",
    "...",
    "!!str ",
    "!x ",
]
WORDS += ["%TAG", "\t", "0", "1", "-", ".", "e", "~", "true", "NO", "${A}", "é", "\ud83d", "\x00"]


class Nested(Section):
    """A shape that holds itself."""

    a: Text | None = None
    number: Number | None = None
    flag: Flag = False
    texts: tuple[Text, ...] = ()
    inner: Nested | None = None
    many: dict[str, tuple[Nested, ...]] = {}


def read(text: str) -> None:
    """Read ``text``; raise only what is raised on purpose."""
    read_all(compose(text, FILE, environment={}), lambda node: validated(node, Nested))


@given(st.lists(st.sampled_from(WORDS), max_size=60).map("".join))
@example("a: *x")
@example("{<<: {<<: {a: b}}}")
@example("inner: &x {inner: *x}")
@example("many: &x {a: [{many: *x}]}")
@example("&x a: 1\n*x : 2")
@example("!!map [a]")
@example("a: !!str {}")
def test_no_document_makes_the_reader_crash(text: str) -> None:
    """An operator would see a stack trace instead of a line."""
    try:
        read(text)
    except ConfigError as error:
        for one in error.each():
            assert one.message.startswith(f"{FILE}:")


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_no_text_makes_the_reader_crash(text: str) -> None:
    """Bytes that are no document at all would end the server with a stack trace."""
    with suppress(ConfigError):
        read(text)


KEYS = st.text("abcxyz", min_size=1, max_size=4)
SHAPES = st.recursive(
    st.none(),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below),
    max_leaves=20,
)


def numbered(shape: object, numbers: Iterator[int]) -> object:
    """Return ``shape`` with a different text at each end."""
    if isinstance(shape, dict):
        return {key: numbered(below, numbers) for key, below in shape.items()}
    if isinstance(shape, list):
        return [numbered(below, numbers) for below in shape]
    return f"leaf{next(numbers):03}"


def ends(node: Node) -> Iterator[Scalar]:
    """Yield all scalars."""
    if isinstance(node, Scalar):
        yield node
    for below in (
        node.values() if isinstance(node, Table) else node if isinstance(node, Items) else ()
    ):
        yield from ends(below)


def followed(shape: object, path: str) -> object:
    """Return what ``path`` leads to."""
    for step in path.replace("[", ".[").split("."):
        if step.startswith("["):
            assert isinstance(shape, list)
            shape = shape[int(step[1:-1])]
        elif step:
            assert isinstance(shape, dict)
            shape = shape[step]
    return shape


@given(SHAPES, st.sampled_from([None, True, False]), st.integers(2, 6), st.integers(20, 80))
def test_every_value_knows_its_line_and_path(
    shape: object, flow: bool | None, indent: int, width: int
) -> None:
    """A complaint would point at a line that is right, and not at the wrong one."""
    data = numbered(shape, count())
    text = yaml.safe_dump(data, default_flow_style=flow, indent=indent, width=width)
    lines = text.splitlines()
    (node,) = compose(text, FILE).nodes
    found = list(ends(node))
    assert len(found) == text.count("leaf")
    for scalar in found:
        assert scalar.text in lines[scalar.place.line - 1]
        assert followed(data, scalar.place.path) == scalar.text
