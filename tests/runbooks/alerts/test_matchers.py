"""Matchers mean what Alertmanager's do: labels that are missing are empty, patterns match whole."""

from __future__ import annotations

import pytest

from collectors.errors import InputError
from runbooks.alerts.matchers import MAX_VALUE, Matcher, Op, parse_matcher, parse_matchers, written

LABELS = {"job": "api", "region": "eu-west-1", "empty": "", "text": 'a "b"\n\\c'}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("job=api", True),
        ('job = "api"', True),
        ('"job"="api"', True),
        ("job=ap", False),
        ("job!=api", False),
        ("job!=web", True),
        ("region=~eu-.*", True),
        ("region=~eu", False),
        ("region=~west", False),
        ('region=~"us-.*|eu-.*"', True),
        ("region!~us-.*", True),
        ("region!~eu-.*", False),
        ("missing=", True),
        ('missing=""', True),
        ("missing!=", False),
        ("missing=~.*", True),
        ("missing=~.+", False),
        ("missing!=x", True),
        ("empty=", True),
        (r'text="a \"b\"\n\\c"', True),
        ('text=~"a.*c"', True),
        ("job=~api|", True),
        ("missing=~api|", True),
    ],
)
def test_what_matches(text: str, expected: bool) -> None:
    """A matcher that matches more than it says silences what nobody meant."""
    assert parse_matcher(text).matches(LABELS) is expected


@pytest.mark.parametrize(
    "text", ["job=api", "job!=api", "job=~a.i", "job!~a.i", 'a="x\\"\\n\\\\y"']
)
def test_what_is_written_is_read_again(text: str) -> None:
    """What a page shows can be copied into a command."""
    matcher = parse_matcher(text)
    assert parse_matcher(str(matcher)) == matcher


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("job", "'job' is no matcher"),
        ("=x", "'=x' is no matcher"),
        ("", "'' is no matcher"),
        ("a=~(", "'(' of 'a' is no pattern"),
        ("a=~b)(c", "'b)(c' of 'a' is no pattern"),
        ("a=~(?=b)", "look-around"),
        (f"a={'x' * (MAX_VALUE + 1)}", "is too long"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    """A mistake is told with what was written, not taken for something else."""
    with pytest.raises(InputError) as refused:
        parse_matcher(text)
    assert said in refused.value.message


def test_there_are_not_too_many() -> None:
    """Every finding is compared with each of them."""
    with pytest.raises(InputError, match="51 matchers are too many; at most 50"):
        parse_matchers(["a=b"] * 51)


def test_several_are_written_as_one() -> None:
    """As people know it from Alertmanager."""
    assert written([Matcher("a", Op.IS, "b"), Matcher("c", Op.LIKE, "d.*")]) == '{a="b", c=~"d.*"}'
