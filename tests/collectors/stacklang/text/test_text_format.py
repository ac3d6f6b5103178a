"""Printf patterns: what is filled in, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.stacklang.text.text_format import MAX_WIDTH, format_text


@pytest.mark.parametrize(
    ("pattern", "values", "expected"),
    [
        ("foo%s", ["bar"], "foobar"),
        ("%s-%2$s.%s", ["a", "b", "c"], "a-b.c"),
        ("%2$s%1$s", ["a", "b"], "ba"),
        ("100%% of %s", ["it"], "100% of it"),
        ("[%5s|%-5s]", ["a", "b"], "[    a|b    ]"),
        ("%.2s", ["abcdef"], "ab"),
        ("%05d", ["42"], "00042"),
        ("%+05d|% d|%d", ["42", "7", "-3"], "+0042| 7|-3"),
        ("%u %x %X", ["-1", "255", "255"], "18446744073709551615 ff FF"),
        ("%f|%.2f|%.0f", ["1.5", "2.345", "-2.5"], "1.500000|2.35|-2"),
        ("%08.3f", ["-1.5"], "-001.500"),
        ("%f", ["NaN"], "NaN"),
        ("no conversions", [], "no conversions"),
    ],
)
def test_a_pattern_is_filled(pattern: str, values: list[str], expected: str) -> None:
    """Numbers are read from the text that lists consist of."""
    assert format_text(pattern, values) == expected


@pytest.mark.parametrize(
    ("pattern", "values", "message"),
    [
        ("%s %s", ["a"], "missing argument at index 1 for format specifier at position 3"),
        ("%0$s", ["a"], "missing argument at index -1"),
        ("%d", ["a"], 'For input string: "a"'),
        ("%d", ["9223372036854775808"], "For input string"),
        ("%f", ["x"], 'For input string: "x"'),
        ("%n", [], "invalid type specifier 'n' at position 1"),
        ("50%", [], "missing type specifier at position 3"),
        ("%.s", ["a"], "missing precision value after '.' at position 2"),
        ("%.3d", ["1"], "precision not allowed for type d"),
        ("%.33f", ["1"], "precision must be between 0 and 32 for type f, got: 33"),
        ("%257s", ["a"], "width must be between 1 and 256, got: 257"),
        ("%05s", ["a"], "zero padding not allowed for string type"),
        ("%+s", ["a"], "sign flags not allowed for string type"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, values: list[str], message: str) -> None:
    """With the texts that Atlas answers."""
    with pytest.raises(QueryError) as caught:
        format_text(pattern, values)
    assert message in caught.value.message
    assert caught.value.kind == "IllegalArgumentException"


@settings(max_examples=200, deadline=None)
@given(st.text("%$-+ 0123456789.sduxXfn", max_size=12), st.lists(st.text(max_size=5), max_size=3))
def test_no_pattern_costs_more_than_its_widths(pattern: str, values: list[str]) -> None:
    """Whatever a stranger writes, the answer is bounded or refused."""
    try:
        text = format_text(pattern, values)
    except QueryError:
        return
    assert len(text) <= len(pattern) + pattern.count("%") * (MAX_WIDTH + 40)
