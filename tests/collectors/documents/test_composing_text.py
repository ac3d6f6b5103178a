"""YAML and JSON into nodes: places, traps of YAML 1.1, bounds."""

from __future__ import annotations

import pytest

from collectors.documents.composing import Bounds, Composed, compose
from collectors.documents.nodes import Items, Look, Node, Scalar, Table
from collectors.errors import DocumentError

FILE = "ops/file.yaml"


def only(text: str) -> Node:
    """Return the single document of ``text``, which must be without mistakes."""
    composed = compose(text, FILE)
    assert composed.errors == ()
    (node,) = composed.nodes
    return node


def table(text: str) -> Table:
    """Return the single document, a mapping."""
    node = only(text)
    assert isinstance(node, Table)
    return node


def plain(node: object) -> object:
    """Return a node as texts, lists and dictionaries."""
    if isinstance(node, Table):
        return {name: plain(value) for name, value in node.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node]
    assert isinstance(node, Scalar)
    return node.text


TRAPS = ["NO", "yes", "on", "2026-01-01", "2026-01-01 10:00:00", "1:30", "0o17", "010", "1_000"]
TRAPS += ["1.10", "99.9", "1e3", "0x1F", "=", "0777", "12:30:45", ".5", "+1", "y", "~x"]


@pytest.mark.parametrize("text", TRAPS)
def test_a_text_stays_as_it_was_written(text: str) -> None:
    """A country would become false, a version a date, a port number seconds."""
    assert plain(table(f"a: {text}\n")["a"]) == text
    assert plain(table(f"{text}: a\n")) == {text: "a"}


@pytest.mark.parametrize(
    ("written", "look"),
    [
        ("", Look.NOTHING),
        ("~", Look.NOTHING),
        ("null", Look.NOTHING),
        ("'null'", Look.TEXT),
        ("!!str null", Look.TEXT),
        ("true", Look.TRUTH),
        ("'true'", Look.TEXT),
        ("NO", Look.TEXT),
        ("-1.5e3", Look.NUMBER),
        ("0x1F", Look.NUMBER),
        (".inf", Look.NUMBER),
        ("'5'", Look.TEXT),
        ("5h", Look.TEXT),
        ("1:30", Look.TEXT),
        ("|\n  5", Look.TEXT),
    ],
)
def test_quotes_tell_a_text_from_what_looks_like_something_else(written: str, look: Look) -> None:
    """A name that must be quoted would pass unquoted, or the other way round."""
    scalar = table(f"a: {written}\n")["a"]
    assert scalar.look is look


def test_every_part_knows_its_line_and_path() -> None:
    """A complaint would point at another line than the mistake's."""
    node = table("a:\n  - b: 1\n    c:\n      d: >\n        folded\n        text\ne: {f: [g]}\n")
    places = {
        (1, ""): node,
        (2, "a"): node["a"],
        (2, "a[0]"): node["a"][0],
        (2, "a[0].b"): node["a"][0]["b"],
        (4, "a[0].c"): node["a"][0]["c"],
        (4, "a[0].c.d"): node["a"][0]["c"]["d"],
        (7, "e.f[0]"): node["e"]["f"][0],
    }
    assert {(n.place.line, n.place.path): n for n in places.values()} == places
    assert node["a"][0].key_place("c").line == 3


def test_a_place_of_something_absent_is_that_of_what_would_hold_it() -> None:
    """A missing field would have no line."""
    node = table("a:\n  b: 1\n")
    place = node.at("a", "list", 3, "x")
    assert (place.line, place.path) == (2, "a.list[3].x")


MERGES = [
    ("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n", {"p": "1", "q": "3"}),
    ("a: [&x {p: 1}, &y {p: 2, q: 3}]\nb: {<<: [*x, *y]}\n", {"p": "1", "q": "3"}),
    ("a: &x {p: 1}\nc: &y {<<: *x, q: 2}\nb: {<<: *y}\n", {"q": "2", "p": "1"}),
    ("a: 1\nb: {'<<': 1}\n", {"<<": "1"}),
]


@pytest.mark.parametrize(("text", "merged"), MERGES)
def test_merge_keys_fill_in_what_a_mapping_does_not_say(text: str, merged: object) -> None:
    """A shared part would be an unknown field called <<, or would win over the mapping's own."""
    assert plain(table(text)["b"]) == merged


def test_a_merged_field_points_at_where_it_was_written() -> None:
    """A mistake in a shared part would be looked for where it is used."""
    node = table("a: &x\n  p: 1\nb:\n  <<: *x\n")
    assert (node["b"]["p"].place.line, node["b"]["p"].place.path) == (2, "b.p")


def test_documents_of_a_file_keep_their_order_and_empty_ones_are_left_out() -> None:
    """A trailing --- would be a document without fields."""
    assert [plain(n) for n in compose("---\na: 1\n---\n---\nb: 2\n---\n", FILE).nodes] == [
        {"a": "1"},
        {"b": "2"},
    ]


def test_json_is_read_with_tabs_and_characters_in_two_halves() -> None:
    """A generated JSON file would be refused, or break when it is written on."""
    assert plain(only('{\n\t"a": "\\ud83d\\ude00 \\/",\n\t"b": [true]\n}')) == {
        "a": "😀 /",
        "b": ["true"],
    }


def environment_of(text: str, **variables: str) -> Composed:
    """Compose with variables."""
    return compose(text, FILE, environment=variables)


def test_variables_are_filled_in_or_told() -> None:
    """A token would be sent as its variable's name."""
    composed = environment_of("a: x${A}y\nb: ${B:-z}\nc: ${C:-}\nd: '${D}'\ne: $A\n", A="1")
    assert plain(composed.nodes[0]) == {"a": "x1y", "b": "z", "c": "", "d": "", "e": "$A"}
    assert [error.message for error in composed.errors] == [
        "ops/file.yaml:4: d: the environment has no D; set it or write ${D:-default}"
    ]
    assert plain(only("a: ${A}\n")) == {"a": "${A}"}


MISTAKES = [
    ("a: 1\nb: 2\na: 3\n", ["3: a: given twice: keep one"]),
    ("a: {b: 1, b: 2}\nc: {d: 1, d: 2}\n", ["1: a.b: given twice: keep one", "2: c.d: given"]),
    ("? [1]\n: 2\n", ["1: (document): the name of a field must be text"]),
    ("a: !!python/name:os.system x\n", ["1: a: the tag !!python/name:os.system has no meaning"]),
    ("a: !include b.yaml\n", ["1: a: the tag !include has no meaning here: leave it out"]),
    ("a: !!binary aGVsbG8=\nb: !!set {x}\n", ["1: a: the tag !!binary", "2: b: the tag !!set"]),
    ('a: "\\ud83d"\n', ["1: a: holds half of a character, as \\ud83d alone is"]),
    ("a:\n  <<: 5\n", ["2: a.<<: only mappings can be merged in"]),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_mistakes_of_the_text_are_all_told(text: str, told: list[str]) -> None:
    """Of two values one would be dropped in silence, or a tag would make an object."""
    errors = compose(text, FILE).errors
    assert len(errors) == len(told)
    for error, begins in zip(errors, told, strict=True):
        assert error.message.startswith(f"{FILE}:{begins}")


BOMB = "\n".join(
    f"{name}: &{name} [{','.join([of] * 10)}]"
    for name, of in zip("abcde", ["x", "*a", "*b", "*c", "*d"], strict=True)
)
UNREADABLE = [
    ("a: [1", "1: (document): this is not YAML: expected ',' or ']', but got '<stream end>'"),
    ("a: b: c", "1: (document): this is not YAML: mapping values are not allowed here"),
    ("a:\n  b: \x07", "2: (document): this is not YAML: the character '\\x07' is not allowed"),
    ("a: *b", "1: (document): this is not YAML: found undefined alias 'b'"),
    ("\ta: 1", "1: (document): this is not YAML: found character '\\t' that cannot start any"),
    ("a: 1\nb: &x [*x]", "2: b[0]: an alias stands inside of what it refers to"),
    ("&a {<<: *a}", "1: (document): an alias stands inside of what it refers to"),
    ("[" * 41 + "]" * 41, "1: (document): nested deeper than 40 levels"),
    ("\n".join("  " * n + "a:" for n in range(60)), "40: (document): nested deeper than 40"),
    ("x: " + "y" * 1_000_001, "0: (document): 1000004 characters, over the limit of 1000000"),
    (BOMB, "1: e[3]"),
    ("- a\n" * 50_001, "50000: [49999]: more than 50000 values, aliases counted in full"),
]


@pytest.mark.parametrize(("text", "told"), UNREADABLE, ids=[told for _, told in UNREADABLE])
def test_what_is_no_document_or_too_much_is_refused(text: str, told: str) -> None:
    """A few lines would take all memory, or an operator would see a stack trace."""
    with pytest.raises(DocumentError) as caught:
        compose(text, FILE)
    assert caught.value.message.startswith(f"{FILE}:{told}")


def test_bounds_are_the_callers() -> None:
    """A file that a machine writes could not be larger than one that people write."""
    small = Bounds(max_characters=100, max_values=5, max_depth=2)
    assert compose("[a, b, c, d]", FILE, bounds=small).nodes
    for text in ("[a, b, c, d, e]", "[[a]]", "x" * 101):
        with pytest.raises(DocumentError):
            compose(text, FILE, bounds=small)
