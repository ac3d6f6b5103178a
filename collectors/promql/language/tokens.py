"""A text cut into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collectors.promql.language.errors import PromqlSyntaxError

NUMBER, DURATION, STRING, NAME, SIGN, END = "number", "duration", "string", "name", "sign", "end"

_DURATION = r"(?:\d+(?:ms|[smhdwy]))+(?![0-9A-Za-z_])"
_NUMBER = (
    r"0[xX][0-9a-fA-F_]+(?![\w.])"
    r"|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?(?![\w.])"
)
_TOKEN = re.compile(
    rf"""(?P<space>\s+|\#[^\n]*)
    |(?P<duration>{_DURATION})
    |(?P<number>{_NUMBER})
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
    |(?P<sign>==|!=|=~|!~|<=|>=|</|>/|[-+*/%^<>=@,(){{}}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>:)")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))"
)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

MAX_EXPRESSION_CHARS = 65_536
"""How long an expression may be."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text between two offsets."""

    kind: str
    text: str
    start: int
    end: int


def place(text: str, offset: int) -> str:
    """Return ``line:column`` of an offset, both from 1; columns count bytes, as Go does."""
    line_start = text.rfind("\n", 0, offset) + 1
    column = len(text[line_start:offset].encode()) + 1
    return f"{text.count(chr(10), 0, offset) + 1}:{column}"


def syntax_error(text: str, offset: int, message: str) -> PromqlSyntaxError:
    """Return an error in the words of Prometheus: place, "parse error", what is wrong."""
    return PromqlSyntaxError(f"{place(text, offset)}: parse error: {message}")


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text, the last of them of kind ``end``.

    Raises:
        PromqlSyntaxError: There is something that is no token.
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        raise PromqlSyntaxError(
            f"the expression has {len(text)} characters, limit of {MAX_EXPRESSION_CHARS}"
        )
    found: list[Token] = []
    at, brackets = 0, 0
    while at < len(text):
        # Within brackets a colon parts range and step; elsewhere it may be part of a name.
        match = (_INSIDE.match(text, at) if brackets else None) or _TOKEN.match(text, at)
        if match is None:
            raise syntax_error(text, at, _flaw(text, at))
        kind = match.lastgroup or ""
        if kind != "space":
            found.append(Token(kind, match[0], at, match.end()))
            brackets += {"[": 1, "]": -1}.get(match[0], 0) if kind == SIGN else 0
        at = match.end()
    found.append(Token(END, "", len(text), len(text)))
    return found


def _flaw(text: str, at: int) -> str:
    if text[at] in "\"'`":
        return "unterminated " + ("raw string" if text[at] == "`" else "quoted string")
    if text[at].isdigit() or text[at] == ".":
        word = re.match(r"[\w.]+", text[at:])
        return f'bad number or duration syntax: "{word[0] if word else text[at]}"'
    return f"unexpected character: {text[at]!r}"


def unquote(text: str, token: Token) -> str:
    """Return what a string token says.

    Raises:
        PromqlSyntaxError: It has an escape that is not known.
    """
    quote, body = token.text[0], token.text[1:-1]
    if quote == "`":
        return body.replace("\r", "")
    if "\\" not in body:
        return body
    out, at, raw = bytearray(), 0, body
    while (slash := raw.find("\\", at)) >= 0:
        out += raw[at:slash].encode()
        found = _ESCAPE.match(raw, slash)
        if found is None or (found[1] in ("'", '"') and found[1] != quote):
            raise syntax_error(text, token.start, "unknown escape sequence in string")
        plain, byte, short, long, octal = found.groups()
        if plain:
            out += _PLAIN.get(plain, plain).encode()
        elif byte or octal:
            out.append(int(byte, 16) if byte else int(octal, 8) & 0xFF)
        else:
            out += _character(text, token, int(short or long, 16)).encode()
        at = found.end()
    out += raw[at:].encode()
    # Bytes that are no UTF-8 survive, so that whoever checks names sees them.
    return out.decode("utf-8", "surrogateescape")


def _character(text: str, token: Token, code: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise syntax_error(text, token.start, "escape sequence is an invalid Unicode code point")
    return chr(code)


def number_of(text: str) -> float:
    """Return the value of a number token, which may be hexadecimal or octal as in Go."""
    plain = text.replace("_", "").lower()
    if plain.startswith("0x"):
        return float(int(plain, 16))
    if len(plain) > 1 and plain[0] == "0" and plain.isdigit() and not set(plain) & set("89"):
        return float(int(plain, 8))
    return float(plain)
