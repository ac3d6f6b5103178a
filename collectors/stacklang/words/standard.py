"""Vocabulary ``std``: the stack itself, lists, variables, templates."""

from __future__ import annotations

from collectors.errors import QueryError
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import ANY, INT, LIST, STRING
from collectors.stacklang.program.inputs import Action, Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word, macro
from collectors.stacklang.text.faults import illegal_state
from collectors.stacklang.text.text_format import format_text

_ITEM = Parameter(type=ANY, name="a")
_OTHER = Parameter(type=ANY, name="b")
_COUNT = Parameter(type=INT, name="n", summary="number of items")


Items = list[object]


def _call(context: Context, body: Items) -> None:
    context.run(body)


def _clear(context: Context) -> None:
    context.stack.clear()


def _depth(context: Context) -> None:
    context.push(str(len(context.stack)))


def _drop(context: Context, item: object) -> None:
    del context, item


def _dup(context: Context, item: object) -> None:
    _push_all(context, item, item)


def _each(context: Context, items: Items, body: Items) -> None:
    # Last first, so that the first item's results end up on top; a list made by :list, which has
    # the top of the stack first, thus comes out in its old order.
    for item in reversed(items):
        context.push(item)
        context.run(body)


def _get(context: Context, name: str) -> None:
    if name not in context.variables:
        raise QueryError(f"key not found: {name}", kind="NoSuchElementException")
    context.push(context.variables[name])


def _list(context: Context) -> None:
    items = list(reversed(context.stack))
    context.stack.clear()
    context.push(items)


def _map(context: Context, items: Items, body: Items) -> None:
    results: Items = []
    for item in items:
        context.push(item)
        context.run(body)
        if not context.stack:
            raise illegal_state("function passed to :map left nothing on the stack")
        results.append(context.stack.pop())
    context.push(results)


def _ndrop(context: Context, count: int) -> None:
    if count > 0:
        del context.stack[-count:]


def _nlist(context: Context, count: int) -> None:
    context.push(context.pop_many(min(max(0, count), len(context.stack))))


def _over(context: Context, below: object, top: object) -> None:
    _push_all(context, below, top, below)


def _pick(context: Context, item: object, position: int) -> None:
    context.push(item)
    context.push(context.stack[_index(context, position)])


def _roll(context: Context, item: object, position: int) -> None:
    context.push(item)
    context.push(context.stack.pop(_index(context, position)))


def _rot(context: Context, item: object) -> None:
    context.push(item)
    context.push(context.stack.pop(0))


def _reverse_rot(context: Context, item: object) -> None:
    context.stack.insert(0, item)


def _set(context: Context, name: str, value: object) -> None:
    context.variables[name] = value


def _swap(context: Context, below: object, top: object) -> None:
    _push_all(context, top, below)


def _push_all(context: Context, *items: object) -> None:
    for item in items:
        context.push(item)


def _index(context: Context, position: int) -> int:
    if not 0 <= position < len(context.stack):
        raise illegal_state(
            f"index {position} is not in the stack, which has {len(context.stack)} items"
        )
    return len(context.stack) - 1 - position


def _word(
    name: str, action: Action, summary: str, signature: str, examples: tuple[str, ...] = ()
) -> Word:
    return Word(
        name=name,
        action=action,
        outputs=(),
        summary=summary,
        examples=examples,
        shown_signature=signature,
    )


_TWO_LISTS = takes(
    Parameter(type=LIST, name="items", summary="values"),
    Parameter(type=LIST, name="f", summary="program run for each value"),
)
_PAIR = takes(_ITEM, _OTHER)
_NTH = takes(_ITEM, Parameter(type=INT, name="N", summary="position, 0 is the top"))

WORDS = Vocabulary(
    name="std",
    words=(
        _word(
            "call",
            takes(Parameter(type=LIST, name="f", summary="program")).does(_call),
            "Run the list on top of the stack as a program.",
            "? List -- ?",
            ("(,a,)",),
        ),
        _word("clear", takes().does(_clear), "Empty the stack.", "* -- <empty>", ("a,b,c",)),
        _word(
            "depth",
            takes().does(_depth),
            "Push the number of items on the stack.",
            " -- N",
            ("", "a", "a,b"),
        ),
        _word(
            "drop",
            takes(_ITEM).does(_drop),
            "Remove the top item.",
            "a -- ",
            ("a,b,c", "ERROR:"),
        ),
        _word(
            "dup",
            takes(_ITEM).does(_dup),
            "Push the top item once more.",
            "a -- a a",
            ("a", "a,b", "ERROR:"),
        ),
        _word(
            "each",
            _TWO_LISTS.does(_each),
            "Push each value of a list and run a program after each, the last value first, so "
            "that the results of the first are on top.",
            "items:List f:List -- f(items[0]) ... f(items[N])",
            ("(,a,b,),(,:dup,)",),
        ),
        _word(
            "format",
            takes(Parameter(type=STRING, name="pattern"), Parameter(type=LIST, name="args")).leaves(
                format_text
            ),
            "Fill a printf pattern with the values of a list. The types are `s`, `d`, `u`, `x`, "
            "`X` and `f`, the flags `-`, `+`, space and `0`; widths go up to 256.",
            "pattern:String args:List -- str:String",
            ("foo%s,(,bar,)",),
        ),
        _word(
            "freeze",
            takes().does(Context.freeze),
            "Put everything on the stack out of reach of what follows; it is part of the result. "
            "Variables are forgotten. Protects an overlay from a `:cq` or `:each` that is appended "
            "later.",
            "* -- <empty>",
            ("a,b,c",),
        ),
        _word(
            "get",
            takes(Parameter(type=STRING, name="k")).does(_get),
            "Push the value of a variable.",
            "k -- vars[k]",
            ("k,v,:set,k",),
        ),
        _word(
            "pick",
            _NTH.does(_pick),
            "Push a copy of the item at a position; 0 is the top.",
            "aN ... a0 N -- aN ... a0 aN",
            ("a,0", "a,b,0", "a,b,1", "ERROR:a"),
        ),
        _word(
            "map",
            _TWO_LISTS.does(_map),
            "Make a list of what a program leaves for each value of a list.",
            "items:List f:List -- List(f(items[0]) ... f(items[N]))",
            ("(,a%s,b%s,),(,(,.netflix.com,),:format,)",),
        ),
        _word(
            "ndrop",
            takes(_COUNT).does(_ndrop),
            "Remove the top N items.",
            "aN ... a0 N -- aN",
            ("a,0", "a,b,c,2", "a,b,c,4", "ERROR:"),
        ),
        _word(
            "nlist",
            takes(_COUNT).does(_nlist),
            "Make a list of the top N items.",
            "aN ... a0 N -- aN List(aN-1 ... a0)",
            ("a,0", "a,b,c,2", "a,b,c,4", "ERROR:"),
        ),
        _word(
            "over", _PAIR.does(_over), "Push a copy of the second item.", "a b -- a b a", ("a,b",)
        ),
        _word(
            "-rot",
            takes(_ITEM).does(_reverse_rot),
            "Move the top item to the bottom.",
            "... a b -- b ... a",
            ("a,b,c,d",),
        ),
        _word(
            "roll",
            _NTH.does(_roll),
            "Move the item at a position to the top.",
            "aN ... a0 N -- aN-1 ... a0 aN",
            ("a,0", "a,b,0", "a,b,1", "ERROR:a"),
        ),
        _word(
            "rot",
            takes(_ITEM).does(_rot),
            "Move the bottom item to the top.",
            "a ... b -- ... b a",
            ("a,b,c,d",),
        ),
        _word(
            "set",
            takes(Parameter(type=STRING, name="k"), Parameter(type=ANY, name="v")).does(_set),
            "Give a variable a value.",
            "k v -- ",
            ("k,v",),
        ),
        _word("swap", _PAIR.does(_swap), "Exchange the two top items.", "a b -- b a", ("a,b",)),
        _word(
            "list",
            takes().does(_list),
            "Make one list of the whole stack, its top first.",
            "* -- List(*)",
            ("a,b", ""),
        ),
        macro(
            "2over",
            ":over,:over",
            parameters=(_ITEM, _OTHER),
            outputs=(ANY, ANY, ANY, ANY),
            summary="Push copies of the two top items.",
            examples=("a,b",),
        ),
        macro(
            "nip",
            ":swap,:drop",
            parameters=(_ITEM, _OTHER),
            outputs=(ANY,),
            summary="Remove the second item.",
            examples=("a,b",),
        ),
        macro(
            "tuck",
            ":swap,:over",
            parameters=(_ITEM, _OTHER),
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
