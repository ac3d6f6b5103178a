"""Reads selectors: ``name{label="value"}``, and lists of labels in parentheses."""

from __future__ import annotations

from collectors.patterns import PatternError
from collectors.promql.labels.matchers import NAME_LABEL, Matcher, MatchOp, pattern_of
from collectors.promql.language.nodes import VectorSelector
from collectors.promql.language.stream import TokenStream
from collectors.promql.language.tokens import NAME, STRING, unquote

_WHERE = "label matching"


def read_selector(stream: TokenStream) -> VectorSelector:
    """Read a selector whose name or opening brace is the next token."""
    start = stream.next.start
    name, matchers = read_selector_parts(stream)
    if name:
        matchers.append(Matcher(name=NAME_LABEL, op=MatchOp.EQUAL, value=name))
    if all(_takes_empty(stream, start, matcher) for matcher in matchers):
        stream.fail(start, "vector selector must contain at least one non-empty matcher")
    end = stream.last_end
    return VectorSelector(start=start, end=end, name=name, matchers=tuple(matchers))


def read_selector_parts(stream: TokenStream) -> tuple[str, list[Matcher]]:
    """Read a name, if there is one, and what stands in braces behind it, if they are there."""
    start = stream.next.start
    name = stream.take().text if stream.next.kind == NAME else ""
    matchers, given = _matchers(stream) if stream.sees("{") else ([], "")
    if name and given:
        stream.fail(start, f'metric name must not be set twice: "{name}" or "{given}"')
    if name and any(m.name == NAME_LABEL for m in matchers):
        stream.fail(start, f'metric name must not be set twice: "{name}"')
    return name or given, matchers


def _takes_empty(stream: TokenStream, start: int, matcher: Matcher) -> bool:
    try:
        if matcher.op in (MatchOp.MATCHES, MatchOp.MATCHES_NOT):
            pattern_of(matcher.value)
    except PatternError as error:
        stream.fail(start, f'error parsing regexp "{matcher.value}": {error}')
    return matcher.takes_empty


def _matchers(stream: TokenStream) -> tuple[list[Matcher], str]:
    """Read what stands in braces; return matchers, and the name if it is among them."""
    stream.expect("{", _WHERE)
    matchers: list[Matcher] = []
    name = ""
    while not stream.sees("}"):
        token = stream.next
        if token.kind not in (NAME, STRING):
            stream.unexpected(_WHERE, 'identifier or "}"')
        label = _label(stream)
        if token.kind == STRING and stream.sees(",", "}"):
            if name:
                stream.fail(
                    token.start, f'metric name must not be set twice: "{name}" or "{label}"'
                )
            name = label
        else:
            matchers.append(_matcher(stream, label))
        if not stream.accept(",") and not stream.sees("}"):
            stream.unexpected(_WHERE, '"," or "}"')
    stream.take()
    return matchers, name


def _matcher(stream: TokenStream, label: str) -> Matcher:
    if not stream.sees("=", "!=", "=~", "!~"):
        stream.unexpected(_WHERE, "label matching operator")
    op = MatchOp(stream.take().text)
    return Matcher(name=label, op=op, value=stream.string(_WHERE))


def _label(stream: TokenStream) -> str:
    token = stream.take()
    if token.kind == STRING:
        return unquote(stream.text, token)
    if ":" in token.text:
        stream.fail(token.start, f'unexpected character inside braces: ":" in {token.text!r}')
    return token.text


def read_labels(stream: TokenStream) -> tuple[str, ...]:
    """Read label names in parentheses."""
    where = "grouping opts"
    stream.expect("(", where)
    labels: list[str] = []
    while not stream.sees(")"):
        if stream.next.kind not in (NAME, STRING):
            stream.unexpected(where, "label")
        labels.append(_label(stream))
        if not stream.accept(",") and not stream.sees(")"):
            stream.unexpected(where, '"," or ")"')
    stream.take()
    return tuple(labels)
