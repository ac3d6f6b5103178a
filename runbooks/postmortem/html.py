"""A post-mortem as a web page: people's Markdown, with nothing of it executed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from itertools import pairwise

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token

from runbooks.postmortem.document import TEMPLATES
from runbooks.postmortem.sections import BLANK

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SAFE = re.compile(r"(?:https?://|/)\S*", re.IGNORECASE)


def as_html(document: str, pictures: Mapping[str, str] | None = None) -> str:
    """Return the page for a post-mortem in Markdown: CommonMark with tables.

    Tags are shown as text, comments are left out, and only web addresses become links.

    Args:
        document: The Markdown.
        pictures: Our own charts as SVG by address; every other image stays text.
    """
    markdown = markdown_reader()
    tokens = parsed(document, pictures or {})
    for token in tokens:
        _draw(token, pictures or {})
    body = markdown.renderer.render(_with_headings(_with_blanks(tokens)), markdown.options, {})
    return _environment().get_template("page.html.j2").render(body=body, title=title_of(tokens))


def parsed(document: str, pictures: Mapping[str, str]) -> list[Token]:
    """Return the tokens of a document; images that are not ours have become text."""
    tokens = markdown_reader().parse(_COMMENT.sub("", document))
    for token in tokens:
        for child in token.children or ():
            if child.type == "image" and child.attrGet("src") not in pictures:
                child.content = f"![{child.content}]({child.attrGet('src')})"
                child.type, child.tag, child.children = "text", "", None
    return tokens


def _draw(token: Token, pictures: Mapping[str, str]) -> None:
    """Put our charts into the page itself, so that it can be read anywhere."""
    for child in token.children or ():
        if child.type == "image":
            svg = pictures[str(child.attrGet("src"))]
            label = escape(child.content)
            child.type, child.children = "html_inline", None
            child.content = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def title_of(tokens: Sequence[Token]) -> str:
    """Return the text of the first heading."""
    headings = (i for i, token in enumerate(tokens) if token.type == "heading_open")
    return next((_text(tokens[i + 1]) for i in headings), "Post-mortem")


def _text(token: Token) -> str:
    if token.children is None:
        return token.content
    spaces = {"softbreak", "hardbreak"}
    return "".join(" " if c.type in spaces else c.content for c in token.children)


def _with_blanks(tokens: Sequence[Token]) -> Sequence[Token]:
    """Mark the paragraphs that still wait for a person."""
    for token, following in pairwise(tokens):
        if token.type == "paragraph_open" and following.content.startswith(BLANK):
            token.attrSet("class", "blank")
    return tokens


def _with_headings(tokens: Sequence[Token]) -> list[Token]:
    """Say what each table's headings are of: its columns, or its rows where the first is empty."""
    kept: list[Token] = []
    rows_are_named = False
    for i, token in enumerate(tokens):
        if token.type == "thead_open":
            end = next(j for j in range(i, len(tokens)) if tokens[j].type == "thead_close")
            rows_are_named = not any(t.content for t in tokens[i:end] if t.type == "inline")
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if rows_are_named and _starts_row(tokens, i):
            token.tag = tokens[i + 2].tag = "th"
            token.attrSet("scope", "row")
        kept.append(token)
        if token.type == "thead_close" and rows_are_named:
            del kept[_last(kept, "thead_open") :]
    return kept


def _starts_row(tokens: Sequence[Token], i: int) -> bool:
    return tokens[i].type == "td_open" and tokens[i - 1].type == "tr_open"


def _last(tokens: Sequence[Token], kind: str) -> int:
    return max(i for i, token in enumerate(tokens) if token.type == kind)


class _Markdown(MarkdownIt):
    """Makes links of web addresses only: a ``javascript:`` target stays text."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 # the library's name
        return _SAFE.fullmatch(url) is not None


@cache
def markdown_reader() -> MarkdownIt:
    """Return what reads people's Markdown: no tags, no scripts, tables."""
    return _Markdown("commonmark", {"html": False}).enable("table")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
