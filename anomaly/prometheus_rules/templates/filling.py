"""A template and what it speaks of become a text.

Method: the walk of Go's ``text/template/exec``; every node that is visited is counted, and what is
written, so that a template with a range in a range ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from anomaly.prometheus_rules.templates.errors import TemplateError
from anomaly.prometheus_rules.templates.functions import Surroundings, functions_of
from anomaly.prometheus_rules.templates.nodes import (
    Action,
    Block,
    Call,
    Chain,
    Command,
    Dot,
    Function,
    Leave,
    Literal,
    Node,
    Operand,
    Pipe,
    Template,
    Text,
    Variable,
    Word,
)
from anomaly.prometheus_rules.templates.values import (
    MISSING,
    Record,
    check_size,
    is_true,
    kind_of,
    text_of,
)
from collectors.budget import look

MAX_TEMPLATE_WORK = 100_000
"""Nodes of a template that are looked at, those in a range with each turn."""

_MAX_CALLS = 100
_LOOK_EVERY = 256
_NOTHING = object()


class _LeftError(Exception):
    """A range's turn is left."""

    def __init__(self, how: Leave) -> None:
        super().__init__(how)
        self.how = how


def filled(
    template: Template, data: Any, around: Surroundings, variables: Mapping[str, Any]
) -> str:
    """Return what a template writes.

    Args:
        template: The template.
        data: What it stands on.
        around: What functions may know.
        variables: Those that it has from the beginning, by their name with its ``$``.

    Raises:
        TemplateError: It can't be filled in, or needs too much.
        TooCostlyError: The rule is out of time.
    """
    look()
    run = _Run(template, functions_of(around))
    run.body(template.body, data, [{"$": data, **variables}])
    return "".join(run.out)


class _Run:
    def __init__(self, template: Template, functions: Mapping[str, Callable[..., Any]]) -> None:
        self.out: list[str] = []
        self._template = template
        self._functions = functions
        self._work = self._size = self._calls = 0

    def body(self, nodes: Sequence[Node], dot: Any, scopes: list[dict[str, Any]]) -> None:
        for node in nodes:
            self._count()
            match node:
                case Text(text):
                    self._write(text)
                case Action(pipe):
                    value = self._pipe(pipe, dot, scopes)
                    if not pipe.names:
                        self._write(text_of(value))
                case Block():
                    self._block(node, dot, scopes)
                case Call(name, pipe):
                    self._call(name, None if pipe is None else self._pipe(pipe, dot, scopes))
                case Leave():
                    raise _LeftError(node)

    def _count(self) -> None:
        self._work += 1
        if self._work > MAX_TEMPLATE_WORK:
            raise TemplateError(f"more than {MAX_TEMPLATE_WORK} steps: look at less in ranges")
        if self._work % _LOOK_EVERY == 0:
            look()

    def _write(self, text: str) -> None:
        self._size += len(text)
        check_size(self._size)
        self.out.append(text)

    # -- blocks ----------------------------------------------------------------------------------

    def _block(self, node: Block, dot: Any, scopes: list[dict[str, Any]]) -> None:
        inner = [*scopes, {}]
        if node.word is Word.RANGE:
            self._range(node, dot, inner)
            return
        value = self._pipe(node.pipe, dot, inner)
        if is_true(value):
            self.body(node.body, value if node.word is Word.WITH else dot, inner)
        else:
            self.body(node.otherwise, dot, inner)

    def _range(self, node: Block, dot: Any, scopes: list[dict[str, Any]]) -> None:
        value = self._pipe(Pipe(node.pipe.commands), dot, scopes)
        turns = list(_turns(value))
        for key, item in turns:
            self._count()
            inner = [*scopes, {}]
            names = node.pipe.names
            given = dict(zip(names, (key, item) if len(names) == 2 else (item,), strict=False))
            if node.pipe.assigns:
                for name, one in given.items():
                    _assign(name, one, inner)
            else:
                inner[-1] |= given
            try:
                self.body(node.body, item, inner)
            except _LeftError as left:
                if left.how is Leave.BREAK:
                    break
        if not turns:
            self.body(node.otherwise, dot, scopes)

    def _call(self, name: str, dot: Any) -> None:
        body = self._template.defined.get(name)
        if body is None:
            raise TemplateError(f"template {name!r} not defined")
        self._calls += 1
        if self._calls > _MAX_CALLS:
            raise TemplateError(f"templates in each other, limit of {_MAX_CALLS}")
        self.body(body, dot, [{"$": dot}])
        self._calls -= 1

    # -- values ----------------------------------------------------------------------------------

    def _pipe(self, pipe: Pipe, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        value: Any = _NOTHING
        for command in pipe.commands:
            value = self._command(command, dot, scopes, value)
        for name in pipe.names:
            if pipe.assigns:
                _assign(name, value, scopes)
            else:
                scopes[-1][name] = value
        return value

    def _command(self, command: Command, dot: Any, scopes: list[dict[str, Any]], final: Any) -> Any:
        self._count()
        first, *rest = command.args
        if isinstance(first, Function):
            return self._function(first.name, rest, dot, scopes, final)
        if isinstance(first, Literal) and first.value is None:
            raise TemplateError("nil is not a command")
        if rest or final is not _NOTHING:
            raise TemplateError("can't give argument to non-function")
        return self._operand(first, dot, scopes)

    def _operand(self, operand: Operand, dot: Any, scopes: list[dict[str, Any]]) -> Any:
        match operand:
            case Literal(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return next(scope[name] for scope in reversed(scopes) if name in scope)
            case Chain(value, fields):
                found = self._operand(value, dot, scopes)
                for field in fields:
                    found = _field(found, field)
                return found
            case Function(name):
                return self._function(name, [], dot, scopes, _NOTHING)
            case Pipe():
                return self._pipe(operand, dot, scopes)

    def _function(
        self,
        name: str,
        args: Sequence[Operand],
        dot: Any,
        scopes: list[dict[str, Any]],
        final: Any,
    ) -> Any:
        given = [final] if final is not _NOTHING else []
        if name in ("and", "or"):
            return self._until(name == "or", args, given, dot, scopes)
        values = [self._operand(arg, dot, scopes) for arg in args] + given
        # A text of twice the text before would be one of gigabytes in thirty turns.
        check_size(_size(values))
        try:
            found = self._functions[name](*values)
        except TypeError as error:
            if "argument" not in str(error):
                raise
            raise TemplateError(f"wrong number of args for {name}: got {len(values)}") from None
        check_size(_size([found]))
        return found

    def _until(
        self,
        wanted: bool,
        args: Sequence[Operand],
        given: Sequence[Any],
        dot: Any,
        scopes: list[dict[str, Any]],
    ) -> Any:
        """Return the first value that is as ``wanted``, else the last; no more are looked at."""
        value: Any = _NOTHING
        for arg in args:
            value = self._operand(arg, dot, scopes)
            if is_true(value) is wanted:
                return value
        value = given[0] if given else value
        if value is _NOTHING:
            raise TemplateError("wrong number of args: and, or want at least one")
        return value


def _size(values: Sequence[Any]) -> int:
    """Return how many characters the texts among some values have."""
    return sum(len(value) for value in values if isinstance(value, str))


def _assign(name: str, value: Any, scopes: list[dict[str, Any]]) -> None:
    next(scope for scope in reversed(scopes) if name in scope)[name] = value


def _turns(value: Any) -> Iterable[tuple[Any, Any]]:
    if value is None or value is MISSING:
        return ()
    if isinstance(value, list):
        return enumerate(value)
    if isinstance(value, dict) and not isinstance(value, Record):
        return sorted(value.items())
    if isinstance(value, int) and not isinstance(value, bool):
        if value > MAX_TEMPLATE_WORK:
            raise TemplateError(f"range over {value}, limit of {MAX_TEMPLATE_WORK}")
        return ((at, at) for at in range(value))
    raise TemplateError(f"range can't iterate over {kind_of(value)}")


def _field(value: Any, name: str) -> Any:
    if isinstance(value, Record):
        if name not in value:
            raise TemplateError(f"can't evaluate field {name}")
        return value[name]
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if value is None or value is MISSING:
        raise TemplateError(f"nil data; no entry for key {name!r}")
    raise TemplateError(f"can't evaluate field {name} in type {kind_of(value)}")
