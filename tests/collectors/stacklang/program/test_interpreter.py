"""Running programs: stacks, overloads, limits and messages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.errors import QueryError
from collectors.stacklang.expression import render_items
from collectors.stacklang.program.inputs import takes
from collectors.stacklang.program.interpreter import Interpreter
from collectors.stacklang.program.word import Vocabulary, Word
from collectors.stacklang.words.custom import CustomWord, custom_vocabulary
from collectors.stacklang.words.vocabularies import interpreter, vocabularies

quickly = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize(
    ("program", "stack"),
    [
        ("b,(,a,:swap,),:call", ["a", "b"]),
        ("a,b,:clear", []),
        ("a,:depth", ["a", "1"]),
        ("a,b,:drop", ["a"]),
        ("(,a,b,),(,x,),:each", ["b", "x", "a", "x"]),
        ("%s-%2$s,(,a,b,),:format", ["a-b"]),
        ("k,v,:set,k,:get", ["v"]),
        ("a,b,c,:list", [["c", "b", "a"]]),
        ("a,b,:list,(,),:each", ["a", "b"]),
        ("(,a%s,b%s,),(,(,.x,),:format,),:map", [["a.x", "b.x"]]),
        ("a,b,c,2,:ndrop", ["a"]),
        ("a,b,c,2,:nlist", ["a", ["b", "c"]]),
        ("a,b,:over", ["a", "b", "a"]),
        ("a,b,1,:pick", ["a", "b", "a"]),
        ("a,b,c,1,:roll", ["a", "c", "b"]),
        ("a,b,c,:rot", ["b", "c", "a"]),
        ("a,b,c,:-rot", ["c", "a", "b"]),
        ("a,b,:2over", ["a", "b", "a", "b"]),
        ("a,b,:nip", ["b"]),
        ("a,b,:tuck", ["b", "a", "b"]),
        ("v,k,:sset,k,:get", ["v"]),
        ("f,(,:dup,),:set,a,f,:fcall", ["a", "a"]),
        ("a,:freeze,b,:list,(,:drop,),:each", ["a"]),
        ("(,a,(,b,),)", [["a", "(", "b", ")"]]),
    ],
)
def test_standard_words(program: str, stack: list[object]) -> None:
    """What each word leaves, bottom first."""
    assert interpreter().execute(program) == stack


def rendered(program: str, *, unstable: bool = False) -> str:
    return render_items(interpreter().execute(program, unstable=unstable))


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        # Two queries: the word of the query vocabulary. Otherwise the one of math.
        ("a,b,:eq,c,d,:eq,:and", "a,b,:eq,c,d,:eq,:and"),
        ("a,b,:eq,1,:and", "a,b,:eq,:sum,1.0,:const,:and"),
        ("a,b,:eq,:sum,:sum", "a,b,:eq,:sum"),
        ("a,b,:eq,:sum,:count", "a,b,:eq,:sum,:count"),
        ("a,b,:gt", "a,b,:gt"),
        ("a,:has,2,:gt", "a,:has,:sum,2.0,:const,:gt"),
        ("2,3,:add", "5.0,:const"),
        ("a,(,),:in", ":false"),
        ("a,(,b,),:in", "a,b,:eq"),
        ("a,(,b\\u002cc,d,),:in", "a,(,b\\u002cc,d,),:in"),
        ("a,x.y,:contains", "a,.*x\\.y,:re"),
        ("a,:has,(,b,),:by,(,b,),:by", "a,:has,:sum,(,b,),:by,:sum,(,b,),:by"),
    ],
)
def test_overloads_and_folding(program: str, expected: str) -> None:
    """The first word whose parameters match the stack is executed."""
    assert rendered(program) == expected


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (":nope", "unknown word ':nope'"),
        ("a,:has,:swap", "no matches for word ':swap' with stack \\[HasKey\\], candidates: "),
        ("a,:eq", "no matches for word ':eq' with stack \\[String\\], candidates: \\[k:String"),
        (")", "unmatched closing parenthesis"),
        ("(,a", "unmatched opening parenthesis"),
        ("f,(,f,:fcall,),:set,f,:fcall", "looping detected"),
        ("a," * 1_025, "stack size exceeds limit of 1024"),
        ("(," + "a," * 1_025 + ")", "list size exceeds limit of 1024"),
        ("k,:get", "key not found: k"),
        ("a,5,:pick", "index 5 is not in the stack"),
        ("%s %s,(,a,),:format", "missing argument at index 1"),
        ("k,v,:set,a,:freeze,k,:get", "key not found: k"),
    ],
)
def test_errors_say_what_happened(program: str, message: str) -> None:
    """Atlas's messages, as tools and people know them."""
    with pytest.raises(QueryError, match=message):
        interpreter().execute(program)


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (":true", "True$"),
        ("a,b,:ge", "GreaterThanEqual"),
        ("a,b,:reic", "RegexIgnoreCase"),
        ("a,:has,:sum,:cf-sum", "Sum"),
        ("a,:has,:sum,:cf-max", "Consolidation"),
        ("a,:has,:max,:cf-sum", "Consolidation"),
        ("a,:has,(,b,),:by", "GroupBy"),
        ("a,:has,(,b,),:by,:count", "Count"),
        ("a,:has,(,b,),:by,:max,(,b,),:by", "GroupBy"),
        ("a,:has,:neg", "Negate"),
        ("a,:has,2,:div", "Divide"),
        ("a,:has,2,:clamp-max", "ClampMax"),
        ("a,:has,b,c,:as", "As"),
        ("5,:srandom", "SeededRandom"),
        ("a,:has,:avg", "NamedRewrite"),
        ("a,:has,3,:rolling-count", "RollingCount"),
        ("a,:has,3,0.1,0.2,:sdes", "SlidingDes"),
        (":stat-max", "StatMax$"),
        ("a,:has,max,3,:topk-others-sum", "TopKOthersSum"),
        ("a,:has,x,:legend", "StyleExpr"),
        ("(,a,)", "List"),
    ],
)
def test_messages_name_the_kinds_of_items(program: str, name: str) -> None:
    """As Atlas names them, whatever our classes are called."""
    with pytest.raises(QueryError, match=rf"with stack \[{re.escape(name)}\]"):
        interpreter().execute(f"{program},:swap")


def test_frozen_programs_leave_no_variables() -> None:
    """What was given from outside stays, what the program set is forgotten."""
    run = interpreter().execute
    assert run("tz,x,:set,:freeze,tz,:get", variables={"tz": "UTC"}) == ["UTC"]


def test_nested_loops_run_out_of_operations() -> None:
    """Nine loops within each other over thirty items would run for years."""
    items = "(," + "a," * 30 + "),"
    program = items + "(," + items * 1 + "(,:drop,),:each,:drop,),:each"
    for _ in range(3):
        program = f"{items}(,{program},:clear,),:each"
    with pytest.raises(QueryError, match="too expensive"):
        interpreter().execute(program)


def test_an_unstable_word_must_be_asked_for() -> None:
    """It may change, so that nobody should use it unknowingly."""
    word = Word(
        name="odd",
        action=takes().leaves(lambda: "odd"),
        outputs=(),
        summary="",
        stable=False,
    )
    odd = Interpreter(Vocabulary(name="test", words=(word,)))
    with pytest.raises(QueryError, match="to use :odd enable unstable features"):
        odd.execute(":odd")
    assert odd.execute(":odd", unstable=True) == ["odd"]


def test_a_program_must_leave_expressions_to_be_drawn() -> None:
    """A text on the stack is a program that was not finished."""
    with pytest.raises(QueryError, match="found String 'name'"):
        interpreter().styled("name,sps,:eq,:sum,name")


def test_an_operator_can_add_words() -> None:
    """A word defined as a program."""
    vocabulary = custom_vocabulary((CustomWord(name="square", body=":dup,:mul"),))
    assert render_items(Interpreter(vocabulary).execute("3,:square")) == "9.0,:const"


def test_debugging_shows_every_step() -> None:
    """One step a token, the final state last, frozen items back in place."""
    steps = interpreter().debug("a,:freeze,b,c,:drop")
    assert [list(step.context.stack) for step in steps] == [
        [],
        ["a"],
        [],
        ["b"],
        ["b", "c"],
        ["a", "b"],
    ]
    assert [list(step.program) for step in steps][-2:] == [[":drop"], []]


WORDS = sorted({f":{word.name}" for word in interpreter().words})
TOKENS = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(
        [
            "name",
            "sps",
            "a",
            "1",
            "-5",
            "0.5",
            "5m",
            "PT1H",
            "(",
            ")",
            "avg",
            "max",
            "f00",
            "s",
            "e",
        ]
    ),
    st.text(max_size=6),
)


@quickly
@given(st.lists(TOKENS, max_size=14))
def test_any_program_runs_or_is_refused(tokens: list[str]) -> None:
    """Nothing but a QueryError ever comes out, and what is left can be read back."""
    try:
        stack = interpreter().execute(",".join(tokens), unstable=True)
        text = render_items(stack)
    except QueryError:
        return
    assert isinstance(text, str)


EXAMPLES = [
    (name, word, example)
    for name, vocabulary in vocabularies().items()
    for word in vocabulary.words
    for example in word.examples
]


@pytest.mark.parametrize(
    ("vocabulary", "word", "example"),
    EXAMPLES,
    ids=[f"{name}-{word.name}-{example}" for name, word, example in EXAMPLES],
)
def test_every_example_of_every_word_does_what_it_says(
    vocabulary: str, word: Word, example: str
) -> None:
    """It runs, and renders to a program that leaves the same; or it fails, if it says so."""
    run = interpreter(vocabulary)
    if example.startswith("ERROR:"):
        with pytest.raises(QueryError):
            run.execute(f"{example.removeprefix('ERROR:')},:{word.name}")
        return
    stack = run.execute(f"{example},:{word.name}", unstable=True)
    assert run.execute(render_items(stack), unstable=True) == stack


def test_the_vocabularies_are_complete() -> None:
    """As many entries as Atlas has, by vocabulary and by name."""
    counts = {name: len(one.words) for name, one in vocabularies().items()}
    atlas = {
        "std": 25,
        "query": 18,
        "data": 11,
        "math": 52,
        "stateful": 22,
        "filter": 22,
        "style": 23,
        "event": 2,
        "custom": 2,
    }
    assert {name: counts[name] for name in atlas} == atlas
    names = {word.name for name in atlas for word in vocabularies()[name].words}
    assert len(names) == 163


@pytest.mark.parametrize(
    "program",
    [
        "name,a,:eq,:sum" + ",:dup,:add" * 40,
        "name,a,:eq" + ",:dup,:and" * 40,
        "a,:list" + ",:dup,:list" * 40,
        "a" + ",:dup,:list,%s%s,:swap,:format" * 40,
        "name,a,:eq,:sum" + ",:dup,:add,1h,:offset" * 40,
    ],
)
def test_programs_that_keep_doubling_are_refused(program: str) -> None:
    """A short program would take all of the memory."""
    with pytest.raises(QueryError, match=r"too large: limit of 50000 nodes|text too long: "):
        interpreter().execute(program)
