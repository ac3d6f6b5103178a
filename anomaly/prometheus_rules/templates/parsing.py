"""Templates from their text.

Method: recursive descent over the actions, as Go's ``text/template/parse`` reads them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache

from anomaly.prometheus_rules.templates.errors import TemplateError
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
from anomaly.prometheus_rules.templates.tokens import Token, parts, tokens, unquoted

MAX_TEMPLATE_CHARS = 65_536
"""Characters of one template."""

MAX_TEMPLATE_DEPTH = 50
"""Blocks, and parentheses, in each other."""

_MAX_WHOLE = 1 << 63
_CONSTANTS = {"true": True, "false": False, "nil": None}
_ENDS = frozenset({"end", "else"})


@lru_cache(maxsize=4_096)
def parse_template(
    text: str, functions: frozenset[str], variables: tuple[str, ...] = ()
) -> Template:
    """Read a template.

    Args:
        text: The template.
        functions: Those that there are.
        variables: Those that there are from the beginning, with their ``$``.

    Raises:
        TemplateError: It is none.
    """
    if len(text) > MAX_TEMPLATE_CHARS:
        raise TemplateError(f"{len(text)} characters, limit of {MAX_TEMPLATE_CHARS}")
    return _Parser(text, functions, variables).template()


class _Parser:
    def __init__(self, text: str, functions: Collection[str], variables: tuple[str, ...]) -> None:
        self._parts: Iterator[tuple[bool, str]] = parts(text)
        self._functions = functions
        self._names = ["$", *variables]
        self._defined: dict[str, tuple[Node, ...]] = {}
        self._depth = 0
        self._ranges = 0

    def template(self) -> Template:
        body, end = self._body()
        if end is not None:
            raise TemplateError(f"unexpected {{{{{end.text}}}}}")
        return Template(body, self._defined)

    # -- blocks ----------------------------------------------------------------------------------

    def _body(self) -> tuple[tuple[Node, ...], _Action | None]:
        """Read up to an ``end`` or ``else``, which is returned, or to the end of the text."""
        nodes: list[Node] = []
        for is_action, text in self._parts:
            if not is_action:
                nodes += [Text(text)] if text else []
                continue
            action = _Action(self, text)
            word = action.word()
            if word in _ENDS:
                return tuple(nodes), action
            node = self._node(action, word)
            nodes += [] if node is None else [node]
        return tuple(nodes), None

    def _node(self, action: _Action, word: str) -> Node | None:
        match word:
            case "if" | "with" | "range":
                return self._block(action, Word(action.take().text))
            case "define" | "block":
                return self._definition(action, word)
            case "template":
                action.take()
                name = action.name()
                return Call(name, action.pipe() if action.more() else None)
            case "break" | "continue" if word not in self._functions:
                if not self._ranges:
                    raise TemplateError(f"{{{{{word}}}}} outside of {{{{range}}}}")
                return Leave(word)
            case _:
                return Action(action.pipe(declares=True))

    def _block(self, action: _Action, word: Word) -> Block:
        with_names = len(self._names)
        pipe = action.pipe(declares=True, two=word is Word.RANGE)
        self._ranges += word is Word.RANGE
        body, end = self._inside()
        self._ranges -= word is Word.RANGE
        otherwise: tuple[Node, ...] = ()
        if end is not None and end.word() == "else":
            end.take()
            if end.more():
                # `else if`: a block of its own, which the same `end` closes.
                inner = Word(end.take().text) if end.word() in ("if", "with") else None
                if inner is None:
                    raise TemplateError(f"unexpected {end.text.strip()!r} after else")
                self.deeper()
                otherwise = (self._block(end, inner),)
                self.shallower()
                del self._names[with_names:]
                return Block(word, pipe, body, otherwise)
            otherwise, end = self._inside()
        if end is None or end.word() != "end":
            raise TemplateError(f"{{{{{word}}}}} without {{{{end}}}}")
        del self._names[with_names:]
        return Block(word, pipe, body, otherwise)

    def _inside(self) -> tuple[tuple[Node, ...], _Action | None]:
        self.deeper()
        names = len(self._names)
        found = self._body()
        del self._names[names:]
        self._depth -= 1
        return found

    def _definition(self, action: _Action, word: str) -> Node | None:
        action.take()
        name = action.name()
        pipe = action.pipe() if word == "block" else None
        names, self._names = self._names, ["$"]
        body, end = self._inside()
        self._names = names
        if end is None or end.word() != "end":
            raise TemplateError(f"{{{{{word}}}}} without {{{{end}}}}")
        self._defined[name] = body
        return Call(name, pipe) if word == "block" else None

    def deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_TEMPLATE_DEPTH:
            raise TemplateError(f"blocks in each other, limit of {MAX_TEMPLATE_DEPTH}")

    def shallower(self) -> None:
        self._depth -= 1

    # -- names -----------------------------------------------------------------------------------

    def declare(self, names: tuple[str, ...]) -> None:
        self._names += names

    def check_variable(self, name: str) -> None:
        if name not in self._names:
            raise TemplateError(f"undefined variable {name!r}")

    def check_function(self, name: str) -> None:
        if name not in self._functions:
            raise TemplateError(f"function {name!r} not defined")


class _Action:
    """One action on its way through the parser."""

    def __init__(self, parser: _Parser, text: str) -> None:
        self.text = text
        self._parser = parser
        self._tokens = tokens(text)
        self._at = 0

    def word(self) -> str:
        """Return the word that it begins with from here, empty for anything else."""
        token = self._peek()
        return token.text if token is not None and token.kind == "word" else ""

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def take(self) -> Token:
        token = self._peek()
        if token is None:
            raise TemplateError(f"missing value in action {self.text.strip()[:80]!r}")
        self._at += 1
        return token

    def name(self) -> str:
        token = self.take()
        if token.kind not in ("text", "raw"):
            raise TemplateError(f"expected a name in quotes, got {token.text!r}")
        return token.text[1:-1] if token.kind == "raw" else unquoted(token.text)

    def pipe(self, *, declares: bool = False, two: bool = False) -> Pipe:
        """Read the rest of the action as a pipe."""
        names, assigns = self._declared(two) if declares else ((), False)
        pipe = self._commands()
        if self.more():
            raise self._unexpected(self.take())
        if names and not assigns:
            self._parser.declare(names)
        return Pipe(pipe.commands, names, assigns)

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self.more() else None

    def _declared(self, two: bool) -> tuple[tuple[str, ...], bool]:
        ahead = [token.text for token in self._tokens[self._at : self._at + 4]]
        kinds = [token.kind for token in self._tokens[self._at : self._at + 4]]
        if kinds[:1] != ["variable"]:
            return (), False
        if ahead[1:2] == [":="] or ahead[1:2] == ["="]:
            self._at += 2
            names: tuple[str, ...] = (ahead[0],)
        elif two and ahead[1:2] == [","] and kinds[2:3] == ["variable"]:
            self._at += 4
            names = (ahead[0], ahead[2])
        else:
            return (), False
        assigns = self._tokens[self._at - 1].text == "="
        if assigns:
            for name in names:
                self._parser.check_variable(name)
        return names, assigns

    def _commands(self) -> Pipe:
        commands = [self._command()]
        while (token := self._peek()) is not None and token.text == "|":
            self._at += 1
            commands.append(self._command())
        for command in commands[1:]:
            if isinstance(command.args[0], Literal):
                raise TemplateError(f"a constant takes no value in {self.text.strip()[:80]!r}")
        return Pipe(tuple(commands))

    def _command(self) -> Command:
        args: list[Operand] = []
        while (token := self._peek()) is not None and token.text not in ("|", ")"):
            if args and token.glued and token.kind != "sign":
                raise self._unexpected(token)
            args.append(self._operand())
        if not args:
            raise TemplateError(f"missing value in action {self.text.strip()[:80]!r}")
        return Command(tuple(args))

    def _operand(self) -> Operand:
        token = self.take()
        value = self._single(token)
        fields = [token.text[1:]] if token.kind == "field" else []
        while (after := self._peek()) is not None and after.kind == "field" and after.glued:
            fields.append(self.take().text[1:])
        if fields and isinstance(value, Literal):
            raise self._unexpected(token)
        return Chain(value, tuple(fields)) if fields else value

    def _single(self, token: Token) -> Operand:
        match token.kind:
            case "dot" | "field":
                return Dot()
            case "variable":
                self._parser.check_variable(token.text)
                return Variable(token.text)
            case "word" if token.text in _CONSTANTS:
                return Literal(_CONSTANTS[token.text])
            case "word":
                self._parser.check_function(token.text)
                return Function(token.text)
            case "text":
                return Literal(unquoted(token.text))
            case "raw":
                return Literal(token.text[1:-1])
            case "char":
                return Literal(_character(token.text))
            case "number":
                return Literal(_number(token.text))
            case "sign" if token.text == "(":
                return self._parenthesised()
            case _:
                raise self._unexpected(token)

    def _parenthesised(self) -> Pipe:
        self._parser.deeper()
        pipe = self._commands()
        self._parser.shallower()
        closing = self._peek()
        if closing is None or closing.text != ")":
            raise TemplateError(f"unclosed parenthesis in {self.text.strip()[:80]!r}")
        self._at += 1
        return pipe

    def _unexpected(self, token: Token) -> TemplateError:
        return TemplateError(f"unexpected {token.text!r} in action {self.text.strip()[:80]!r}")


def _character(text: str) -> int:
    found = unquoted(text)
    if len(found) != 1:
        raise TemplateError(f"{text} is not one character")
    return ord(found)


def _number(text: str) -> int | float:
    """Return a number: whole ones are integers, as Go has its constants."""
    plain = text.replace("_", "")
    try:
        if not any(mark in plain.lower() for mark in ".e") or plain[:3].lower().find("0x") >= 0:
            octal = plain.lstrip("+-")
            old = len(octal) > 1 and octal.startswith("0") and octal.isdigit()
            whole = int(plain, 8 if old else 0)
            if not -_MAX_WHOLE <= whole < _MAX_WHOLE:
                raise TemplateError(f"integer overflow: {text[:80]}")
            return whole
        return float(plain)
    except ValueError:
        raise TemplateError(f"bad number {text!r}") from None
