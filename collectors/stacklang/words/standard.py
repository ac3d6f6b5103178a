"""Vocabulary ``std``: the stack itself, lists, variables, templates."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.errors import QueryError
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import ANY, INT, LIST, STRING
from collectors.stacklang.program.word import Parameter, Run, Vocabulary, Word, macro
from collectors.stacklang.text.faults import illegal_state
from collectors.stacklang.text.text_format import format_text

_ITEM = Parameter(type=ANY, name="a")
_OTHER = Parameter(type=ANY, name="b")
_COUNT = Parameter(type=INT, name="n", summary="number of items")


def _call(context: Context, params: Sequence[object]) -> None:
    context.run(_items(params[0]))


def _clear(context: Context, params: Sequence[object]) -> None:
    del params
    context.stack.clear()


def _depth(context: Context, params: Sequence[object]) -> None:
    del params
    context.push(str(len(context.stack)))


def _drop(context: Context, params: Sequence[object]) -> None:
    del context, params


def _dup(context: Context, params: Sequence[object]) -> None:
    context.push(params[0])
    context.push(params[0])


def _each(context: Context, params: Sequence[object]) -> None:
    items, body = (_items(param) for param in params)
    # Last first, so that the first item's results end up on top; a list made by :list, which has
    # the top of the stack first, thus comes out in its old order.
    for item in reversed(items):
        context.push(item)
        context.run(body)


def _format(context: Context, params: Sequence[object]) -> None:
    context.push(format_text(str(params[0]), _items(params[1])))


def _freeze(context: Context, params: Sequence[object]) -> None:
    del params
    context.freeze()


def _get(context: Context, params: Sequence[object]) -> None:
    name = str(params[0])
    if name not in context.variables:
        raise QueryError(f"key not found: {name}", kind="NoSuchElementException")
    context.push(context.variables[name])


def _list(context: Context, params: Sequence[object]) -> None:
    del params
    items = list(reversed(context.stack))
    context.stack.clear()
    context.push(items)


def _map(context: Context, params: Sequence[object]) -> None:
    items, body = (_items(param) for param in params)
    results: list[object] = []
    for item in items:
        context.push(item)
        context.run(body)
        if not context.stack:
            raise illegal_state("function passed to :map left nothing on the stack")
        results.append(context.stack.pop())
    context.push(results)


def _ndrop(context: Context, params: Sequence[object]) -> None:
    count = max(0, _number(params[0]))
    if count:
        del context.stack[-count:]


def _nlist(context: Context, params: Sequence[object]) -> None:
    count = min(max(0, _number(params[0])), len(context.stack))
    context.push(context.pop_many(count))


def _over(context: Context, params: Sequence[object]) -> None:
    for item in (params[0], params[1], params[0]):
        context.push(item)


def _pick(context: Context, params: Sequence[object]) -> None:
    context.push(params[0])
    context.push(context.stack[_index(context, params[1])])


def _roll(context: Context, params: Sequence[object]) -> None:
    context.push(params[0])
    context.push(context.stack.pop(_index(context, params[1])))


def _rot(context: Context, params: Sequence[object]) -> None:
    context.push(params[0])
    context.push(context.stack.pop(0))


def _reverse_rot(context: Context, params: Sequence[object]) -> None:
    context.stack.insert(0, params[0])


def _set(context: Context, params: Sequence[object]) -> None:
    context.variables[str(params[0])] = params[1]


def _swap(context: Context, params: Sequence[object]) -> None:
    context.push(params[1])
    context.push(params[0])


def _items(param: object) -> list[object]:
    return param if isinstance(param, list) else []


def _number(param: object) -> int:
    return param if isinstance(param, int) else 0


def _index(context: Context, param: object) -> int:
    position = _number(param)
    if not 0 <= position < len(context.stack):
        raise illegal_state(
            f"index {position} is not in the stack, which has {len(context.stack)} items"
        )
    return len(context.stack) - 1 - position


def _word(
    name: str,
    run: Run,
    summary: str,
    signature: str,
    parameters: tuple[Parameter, ...] = (),
    examples: tuple[str, ...] = (),
) -> Word:
    return Word(
        name=name,
        parameters=parameters,
        outputs=(),
        run=run,
        summary=summary,
        examples=examples,
        shown_signature=signature,
    )


_TWO_LISTS = (
    Parameter(type=LIST, name="items", summary="values"),
    Parameter(type=LIST, name="f", summary="program run for each value"),
)
_PAIR = (_ITEM, _OTHER)
_NTH = (_ITEM, Parameter(type=INT, name="N", summary="position, 0 is the top"))

STANDARD = Vocabulary(
    name="std",
    words=(
        _word(
            "call",
            _call,
            "Run the list on top of the stack as a program.",
            "? List -- ?",
            (Parameter(type=LIST, name="f", summary="program"),),
            ("(,a,)",),
        ),
        _word("clear", _clear, "Empty the stack.", "* -- <empty>", (), ("a,b,c",)),
        _word(
            "depth", _depth, "Push the number of items on the stack.", " -- N", (), ("", "a", "a,b")
        ),
        _word("drop", _drop, "Remove the top item.", "a -- ", (_ITEM,), ("a,b,c", "ERROR:")),
        _word(
            "dup",
            _dup,
            "Push the top item once more.",
            "a -- a a",
            (_ITEM,),
            ("a", "a,b", "ERROR:"),
        ),
        _word(
            "each",
            _each,
            "Push each value of a list and run a program after each, the last value first, so "
            "that the results of the first are on top.",
            "items:List f:List -- f(items[0]) ... f(items[N])",
            _TWO_LISTS,
            ("(,a,b,),(,:dup,)",),
        ),
        _word(
            "format",
            _format,
            "Fill a printf pattern with the values of a list. The types are `s`, `d`, `u`, `x`, "
            "`X` and `f`, the flags `-`, `+`, space and `0`; widths go up to 256.",
            "pattern:String args:List -- str:String",
            (Parameter(type=STRING, name="pattern"), Parameter(type=LIST, name="args")),
            ("foo%s,(,bar,)",),
        ),
        _word(
            "freeze",
            _freeze,
            "Put everything on the stack out of reach of what follows; it is part of the result. "
            "Variables are forgotten. Protects an overlay from a `:cq` or `:each` that is appended "
            "later.",
            "* -- <empty>",
            (),
            ("a,b,c",),
        ),
        _word(
            "get",
            _get,
            "Push the value of a variable.",
            "k -- vars[k]",
            (Parameter(type=STRING, name="k"),),
            ("k,v,:set,k",),
        ),
        _word(
            "pick",
            _pick,
            "Push a copy of the item at a position; 0 is the top.",
            "aN ... a0 N -- aN ... a0 aN",
            _NTH,
            ("a,0", "a,b,0", "a,b,1", "ERROR:a"),
        ),
        _word(
            "map",
            _map,
            "Make a list of what a program leaves for each value of a list.",
            "items:List f:List -- List(f(items[0]) ... f(items[N]))",
            _TWO_LISTS,
            ("(,a%s,b%s,),(,(,.netflix.com,),:format,)",),
        ),
        _word(
            "ndrop",
            _ndrop,
            "Remove the top N items.",
            "aN ... a0 N -- aN",
            (_COUNT,),
            ("a,0", "a,b,c,2", "a,b,c,4", "ERROR:"),
        ),
        _word(
            "nlist",
            _nlist,
            "Make a list of the top N items.",
            "aN ... a0 N -- aN List(aN-1 ... a0)",
            (_COUNT,),
            ("a,0", "a,b,c,2", "a,b,c,4", "ERROR:"),
        ),
        _word("over", _over, "Push a copy of the second item.", "a b -- a b a", _PAIR, ("a,b",)),
        _word(
            "-rot",
            _reverse_rot,
            "Move the top item to the bottom.",
            "... a b -- b ... a",
            (_ITEM,),
            ("a,b,c,d",),
        ),
        _word(
            "roll",
            _roll,
            "Move the item at a position to the top.",
            "aN ... a0 N -- aN-1 ... a0 aN",
            _NTH,
            ("a,0", "a,b,0", "a,b,1", "ERROR:a"),
        ),
        _word(
            "rot",
            _rot,
            "Move the bottom item to the top.",
            "a ... b -- ... b a",
            (_ITEM,),
            ("a,b,c,d",),
        ),
        _word(
            "set",
            _set,
            "Give a variable a value.",
            "k v -- ",
            (Parameter(type=STRING, name="k"), Parameter(type=ANY, name="v")),
            ("k,v",),
        ),
        _word("swap", _swap, "Exchange the two top items.", "a b -- b a", _PAIR, ("a,b",)),
        _word(
            "list",
            _list,
            "Make one list of the whole stack, its top first.",
            "* -- List(*)",
            (),
            ("a,b", ""),
        ),
        macro(
            "2over",
            ":over,:over",
            parameters=_PAIR,
            outputs=(ANY, ANY, ANY, ANY),
            summary="Push copies of the two top items.",
            examples=("a,b",),
        ),
        macro(
            "nip",
            ":swap,:drop",
            parameters=_PAIR,
            outputs=(ANY,),
            summary="Remove the second item.",
            examples=("a,b",),
        ),
        macro(
            "tuck",
            ":swap,:over",
            parameters=_PAIR,
            outputs=(ANY, ANY, ANY),
            summary="Put a copy of the top item below the second.",
            examples=("a,b",),
        ),
        macro(
            "fcall",
            ":get,:call",
            parameters=(Parameter(type=STRING, name="name"),),
            outputs=(ANY,),
            summary="Run the program that a variable holds.",
            examples=("duplicate,(,:dup,),:set,a,duplicate",),
        ),
        macro(
            "sset",
            ":swap,:set",
            parameters=(Parameter(type=ANY, name="v"), Parameter(type=STRING, name="k")),
            outputs=(),
            summary="Give a variable a value, value first.",
            examples=("a,b",),
        ),
    ),
)
