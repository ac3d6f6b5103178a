"""Tokens, comments and escapes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.stacklang.text.lexer import escape, split_and_trim, strip_comments, unescape

quickly = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("program", "tokens"),
    [
        ("a,b,:eq", ["a", "b", ":eq"]),
        ("  a\n,\t\nb ,c", ["a", "b", "c"]),
        (", ,\t,\n\n,", []),
        ("a /* one /* two */ still */,b", ["a", "b"]),
        ("a/***/b", ["ab"]),
        ("sys cpu,:x", ["sys cpu", ":x"]),
    ],
)
def test_a_program_splits_into_tokens(program: str, tokens: list[str]) -> None:
    """Commas separate, whitespace around tokens and empty tokens vanish, comments nest."""
    assert split_and_trim(program) == tokens


@pytest.mark.parametrize("program", ["a /* b", "a /* b /* c */", "/*/"])
def test_an_open_comment_is_refused(program: str) -> None:
    """A comment that never closes would silently swallow the rest of the program."""
    with pytest.raises(QueryError, match="unclosed comment"):
        strip_comments(program)


def test_a_program_beyond_the_limit_is_refused() -> None:
    """Nobody writes a megabyte of program; an attacker might."""
    with pytest.raises(QueryError, match="program too long"):
        split_and_trim("a," * 600_000)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (" foo", "\\u0020foo"),
        ("foo ", "foo\\u0020"),
        ("a b", "a b"),
        ("a,b:c", "a\\u002cb\\u003ac"),
        ("(", "\\u0028"),
        ("(a)", "(a)"),
        ("http:/*", "http\\u003a\\u002f*"),
        ("\\u0041", "\\u005cu0041"),
        ("\\d+", "\\d+"),
    ],
)
def test_what_is_special_is_escaped(text: str, escaped: str) -> None:
    """Only what a program could not contain literally is escaped, so that it stays readable."""
    assert escape(text) == escaped


@quickly
@given(st.text(min_size=1, max_size=40))
def test_an_escaped_text_is_one_token_and_reads_back(text: str) -> None:
    """Whatever the text, it survives being written into a program."""
    (token,) = split_and_trim(escape(text))
    assert unescape(token) == text


@pytest.mark.parametrize("text", ["foo\\uzyff", "\\u12", "\\u"])
def test_a_malformed_escape_stays_as_it_is(text: str) -> None:
    """Lenient, as Atlas is: a regular expression may contain a backslash and a u."""
    assert unescape(text) == text
