"""Patterns of operators and users: what they match, what they cost, what is refused and why."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collectors.patterns import MAX_PATTERN_STEPS, Pattern, PatternError, escape_pattern

quickly = settings(max_examples=150, deadline=None)

_PARTS = r"a b é . .* [^a] [ab]+ a{2} (a|bc) \d \W \b ^ $ \A \z b? \. \Qa.b\E \n"
_parts = st.sampled_from(_PARTS.split())
_patterns = st.lists(_parts, max_size=5).map("".join)
_texts = st.text(st.sampled_from("aabbcé.1\n\\\U0010ffff"), max_size=6)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("(a?){28}a{28}", "a" * 28 + "b", True),
        ("(a?){28}a{28}c", "a" * 28 + "b", False),
        ("(a+)+$", "a" * 60 + "!", False),
        ("(.*a){20,}", "a" * 19, False),
        ("(a|aa)*b", "a" * 60, False),
        ("(?:[a-z]+A)*b", "xA" * 40, False),
        ("((a*)*)*b", "a" * 60, False),
        ("([a-z]+)*b", "x" * 60 + "b", True),
        (".*.*.*.*.*x", "y" * 400, False),
        ("([a-z0-9]+-?)+\\.example\\.com", "a" * 48 + "_", False),
        # The automaton of these has more states than fit into its memory.
        ("[ab]*a[ab]{200}c", "ab" * 300, False),
        ("[ab]*a[ab]{201}c", "ab" * 300 + "c", True),
    ],
)
def test_the_cost_of_a_character_is_bounded_whatever_the_pattern(
    pattern: str, text: str, expected: bool
) -> None:
    """A pattern with many ways to match would keep the process busy for years."""
    compiled = Pattern(pattern)
    assert compiled.steps <= MAX_PATTERN_STEPS
    assert compiled.matches(text) is expected
    assert compiled.select([text]).tolist() == ([0] if expected else [])


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("4(?!04)", r"look-around (?! is not supported, make it a condition of its own"),
        ("(?<=a)b", "look-around (?<= is not supported, make it a condition of its own"),
        ("(a)\\1", r"back references \1 are not supported"),
        ("a++", "possessive repeats ++ are not supported, leave out the last +"),
        ("a{2}+", "possessive repeats {2}+ are not supported, leave out the last +"),
        ("(?>a)", "atomic groups (?> are not supported, leave out ?>"),
        ("(a{1000}){1000}", "{1000}: what is repeated in all may be at most 1000 times"),
        ("(a", "missing ): (a"),
        ("\\C", r"\C is not supported, as it matches a part of a character"),
        ("\ud800", "half of a surrogate pair is not a character"),
        ("x" * 2_000, "pattern too long: 2000 characters, limit of 1024"),
        ("a{999}b{999}c{999}",
         "pattern too costly: 3001 steps a character, limit of 2000; repeat less"),
    ],
)  # fmt: skip
def test_what_can_not_be_matched_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    """An operator would not know what to write instead, or find out by a frozen process."""
    with pytest.raises(PatternError) as caught:
        Pattern(pattern)
    assert str(caught.value) == reason


@settings(max_examples=400, deadline=None)
@example(".a", ["ba"], False)
@given(_patterns, st.lists(_texts, max_size=20), st.booleans())
def test_many_texts_at_once_are_matched_as_one_by_one(
    pattern: str, texts: list[str], ignore_case: bool
) -> None:
    """A query over the index would find other series than a rule that looks at each."""
    compiled = Pattern(pattern, ignore_case=ignore_case)
    one_by_one = [at for at, text in enumerate(texts) if compiled.matches(text)]
    assert compiled.select(texts).tolist() == one_by_one


@quickly
@given(
    st.sampled_from(["a", "bé", "c.*", ".a", "[^b]é"]), st.lists(_texts, min_size=200, max_size=300)
)
def test_texts_that_begin_otherwise_are_sorted_out_rightly(pattern: str, texts: list[str]) -> None:
    """A series whose value begins at the edge of what can match would be lost."""
    compiled = Pattern(pattern)
    expected = [at for at, text in enumerate(texts) if re.match(pattern, text)]
    assert compiled.select(texts).tolist() == expected


def test_a_pattern_too_large_to_match_many_at_once_matches_them_one_by_one() -> None:
    """A long pattern would find nothing, or fail when it is used rather than when it is read."""
    compiled = Pattern("(?:a|b)*a(?:a|b){500}(?:a|b){400}")
    assert compiled._lines is None
    texts = ["ab" * 500, "b" * 950, "a" * 901 + "b"]
    assert compiled.select(texts).tolist() == [0, 2]


@given(st.text(max_size=10))
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    """A search for what contains ``a.b`` would find ``axb``."""
    assert Pattern(escape_pattern(text) + "\\z").matches(text)
    assert not Pattern(escape_pattern(text) + "\\z").matches(text + "x")


def test_matches_are_replaced_from_left_to_right_with_their_groups() -> None:
    """A legend would show other groups than those of the match."""
    compiled = Pattern("(?<first>[a-z])(\\d)?")
    shown = compiled.replace("a1-b", lambda found: f"<{found.group('first')}{found.group(2)}>")
    assert shown == "<a1>-<bNone>"
    assert compiled.groups == 2
    assert compiled.group_names == {"first"}
