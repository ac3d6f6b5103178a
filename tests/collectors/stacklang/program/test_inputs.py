"""What words take from the stack: typed values, or nothing at all."""

from __future__ import annotations

import pytest

from collectors.errors import QueryError
from collectors.stacklang.expressions.math import Constant
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.datatypes import DOUBLE, INT, SERIES, STRING
from collectors.stacklang.program.inputs import Parameter, takes, takes_as_found
from collectors.stacklang.words.vocabularies import vocabularies

_LINES = Parameter(type=SERIES)
_NUMBER = Parameter(type=DOUBLE, name="bound")


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["1", "2.5"], [Constant(1.0), 2.5]),
        ([Constant(1.0), "NaN-ish"], None),
        (["not a number", "2.5"], None),
    ],
)
def test_values_are_those_of_the_parameters_types_or_none(
    items: list[object], expected: list[object] | None
) -> None:
    """A word would be handed raw items, or run although its inputs don't fit."""
    action = takes(_LINES, _NUMBER).leaves(lambda lines, bound: (lines, bound))
    assert action.values(items) == expected


def test_a_styled_expression_is_taken_for_its_lines_only_where_that_is_asked_for() -> None:
    """A word that drops styles would accept styled lines and lose their legends."""
    styled = StyleExpr(Constant(1.0))
    action = takes(_LINES).leaves(lambda lines: lines)
    assert action.values([styled], styled=True) == [Constant(1.0)]
    assert action.values([styled]) is None


def test_items_as_found_are_checked_but_not_converted() -> None:
    """A macro would turn a query into its sum, so that its words for queries no longer match."""
    action = takes_as_found(_LINES, Parameter(type=INT), act=lambda _context, _items: None)
    assert action.values(["1", "2"]) == ["1", "2"]
    assert action.values(["1", "x"]) is None


def test_what_is_required_and_does_not_fit_is_an_error() -> None:
    """A word that is handed something else would go on with a value it can't use."""
    assert STRING.require("a") == "a"
    with pytest.raises(QueryError, match="expecting Int, found String 'a'"):
        INT.require("a")


@pytest.mark.parametrize("name", list(vocabularies()))
def test_every_word_describes_its_inputs(name: str) -> None:
    """Help and completion would show a word without what it takes."""
    for word in vocabularies()[name].words:
        assert word.signature.split(" -- ")[0].strip() or not word.parameters
