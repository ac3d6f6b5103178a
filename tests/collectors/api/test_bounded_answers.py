"""Short queries can't make long answers: texts are counted as they are made."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from collectors.api.app import api_app
from collectors.clock import ManualClock
from collectors.errors import QueryError
from collectors.stacklang.testing.memory import MemoryDatabase
from collectors.stacklang.text.substitution import MAX_TEXT, substitute
from collectors.stacklang.text.text_format import MAX_TEXT as MAX_FORMATTED
from collectors.stacklang.text.text_format import format_text


def client() -> TestClient:
    """Return the API over an empty database."""
    return TestClient(api_app(MemoryDatabase(60_000), None, ManualClock(1_700_000_040_000)))


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("$kk", "v", "v"),
        ("$kk" * 3, "v" * 1_000, "v" * 3_000),
        ("$kk" * 7_000, "v" * 250, "v" * MAX_TEXT + "…"),
        ("$kk ", "v" * MAX_TEXT, "v" * MAX_TEXT + " "),
    ],
)
def test_a_legend_is_cut_where_its_variables_make_it_too_long(
    text: str, value: str, expected: str
) -> None:
    """Thirty kilobytes of `$kk` would become a gigabyte."""
    assert substitute(text, {"kk": value}) == expected


def test_a_format_does_not_grow_without_end() -> None:
    """A text that is doubled forty times would take a terabyte."""
    assert format_text("%1$s%1$s", ["ab"]) == "abab"
    with pytest.raises(QueryError, match=f"more than {MAX_FORMATTED} characters"):
        format_text("%1$s" * 70, ["v" * 1_000])


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/v1/graph?format=json&features=unstable&q=1," + ":integral," * 900, 400, "deeply"),
        ("/api/v1/expr/normalize?q=1," + ":integral," * 900, 400, "deeply"),
        (
            "/api/v1/expr/debug?vocab=std&q=" + "v" * 30_000 + "," + ":dup," * 200,
            422,
            "the answer has more than 64 MiB",
        ),
    ],
)
def test_what_would_be_too_much_is_refused_with_the_reason(
    path: str, status: int, said: str
) -> None:
    """A program of kilobytes would be answered with gigabytes, or be a defect of ours."""
    answer = client().get(path)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text[:300]
