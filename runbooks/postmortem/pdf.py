"""A post-mortem on paper: the same Markdown, set by Typst.

Typst comes as one wheel without any library of the system. Nothing of the document is executed: all
text goes through :func:`_quoted` into string literals, which Typst shows as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from markdown_it.token import Token

from collectors.errors import ConfigError, StorageError
from runbooks.postmortem.html import parsed, title_of
from runbooks.postmortem.sections import BLANK

_PREAMBLE = Path(__file__).parent / "templates" / "paper.typ"
_LONG_WORD = 24
_BREAKABLE = re.compile(r"(?<=[/,.:;_\-=&?])(?=\w)")
_WEB = re.compile(r"https?://\S+", re.IGNORECASE)
_MIN_SHARE, _MAX_SHARE = 4, 60
_NARROW, _WIDE = 50, 90


def as_pdf(document: str, pictures: Mapping[str, str], *, footer: str) -> bytes:
    """Return a post-mortem as PDF.

    Args:
        document: The Markdown.
        pictures: Our own charts as SVG by address.
        footer: What stands at the foot of each page.

    Raises:
        ConfigError: Typst is not installed.
        StorageError: It could not be set.
    """
    try:
        import typst
    except ImportError:
        raise ConfigError(
            "PDF needs the package typst, which is not installed; pip install 'tocsin[pdf]', or "
            "take html and print it"
        ) from None
    source = as_typst(document, pictures, footer=footer)
    try:
        made = typst.compile(source.encode(), font_paths=_fonts(), format="pdf")
    except (RuntimeError, typst.TypstError) as error:
        raise StorageError(f"the PDF could not be set: {error}") from error
    return bytes(made)


def as_typst(document: str, pictures: Mapping[str, str], *, footer: str) -> str:
    """Return the document in Typst's language; images of others have become text."""
    tokens = parsed(document, pictures)
    setting = _Setting(pictures=pictures)
    body = "\n".join(setting.blocks(tokens))
    head = f"#let title = {_quoted(title_of(tokens))}\n#let footer = {_quoted(footer)}\n"
    return f"{head}{_PREAMBLE.read_text(encoding='utf-8')}\n{body}\n"


@cache
def _fonts() -> Any:
    """Return the fonts that matplotlib brings along, and the machine's for what they lack."""
    import typst
    from matplotlib import get_data_path

    # Not its font of last resort, which would stand before fonts of the machine that have a glyph.
    found = [str(path) for path in sorted((Path(get_data_path()) / "fonts/ttf").glob("DejaVu*"))]
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=False, font_paths=found)


def _quoted(text: str) -> str:
    r"""Return ``text`` as a string literal; long words may break.

    >>> _quoted('a"b\\c')
    '"a\\"b\\\\c"'
    """
    broken = " ".join(
        _BREAKABLE.sub("\u200b", word) if len(word) > _LONG_WORD else word
        for word in text.split(" ")
    )
    plain = "".join(c if c >= " " or c == "\n" else "\ufffd" for c in broken)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(slots=True)
class _Setting:
    """Turns tokens into calls of Typst functions."""

    pictures: Mapping[str, str]
    at: int = field(default=0)

    def blocks(self, tokens: Sequence[Token], until: str = "") -> Iterator[str]:
        """Yield a line of markup for each block, up to the token that ends them."""
        while self.at < len(tokens):
            token = tokens[self.at]
            self.at += 1
            if token.type == until:
                return
            match token.type:
                case "heading_open":
                    yield f"#heading(level: {int(token.tag[1:])})[{self._heading(tokens)}]"
                case "paragraph_open":
                    yield self._paragraph(tokens)
                case "bullet_list_open" | "ordered_list_open":
                    yield self._list(tokens, token.type)
                case "table_open":
                    yield self._table(tokens)
                case "blockquote_open":
                    inner = "\n".join(self.blocks(tokens, "blockquote_close"))
                    yield f"#quote(block: true)[{inner}]"
                case "fence" | "code_block":
                    yield f"#raw(block: true, {_quoted(token.content.rstrip())})"
                case "hr":
                    yield "#line(length: 100%, stroke: 0.5pt + gray)"
                case _:
                    pass

    def _inline(self, tokens: Sequence[Token]) -> str:
        token = tokens[self.at]
        self.at += 2  # the text, and what closes its block
        return self._spans(token.children or ())

    def _heading(self, tokens: Sequence[Token]) -> str:
        """Return the text of a heading, whose names don't break at their hyphens."""
        for child in tokens[self.at].children or ():
            child.content = re.sub(r"(?<=\w)-(?=\w)", "\u2011", child.content)
        return self._inline(tokens)

    def _paragraph(self, tokens: Sequence[Token]) -> str:
        token = tokens[self.at]
        drawn = [child for child in token.children or () if child.type == "image"]
        if drawn and len(drawn) == len(token.children or ()):
            self.at += 2
            return "\n".join(self._chart(child) for child in drawn)
        if token.content.startswith(BLANK):
            return f"#blank[{self._inline(tokens)}]"
        return f"#par[{self._inline(tokens)}]"

    def _list(self, tokens: Sequence[Token], kind: str) -> str:
        name = "list" if kind == "bullet_list_open" else "enum"
        closing = kind.replace("_open", "_close")
        items = []
        while tokens[self.at].type != closing:
            self.at += 1  # what opens an item
            items.append(f"[{chr(10).join(self.blocks(tokens, 'list_item_close'))}]")
        self.at += 1
        return f"#{name}({', '.join(items)})"

    def _table(self, tokens: Sequence[Token]) -> str:
        head: list[str] = []
        rows: list[list[str]] = []
        texts: list[list[str]] = []
        inside_head = False
        while tokens[self.at].type != "table_close":
            token = tokens[self.at]
            self.at += 1
            if token.type in {"thead_open", "thead_close"}:
                inside_head = token.type == "thead_open"
            elif token.type == "tr_open":
                texts.append([])
                rows += [] if inside_head else [[]]
            elif token.type in {"th_open", "td_open"}:
                texts[-1].append(_plain(tokens[self.at]))
                cell = f"[{self._inline(tokens)}]"
                (head if inside_head else rows[-1]).append(cell)
        self.at += 1
        columns = ", ".join(_widths(texts))
        named = any(texts[0]) if texts else False
        top = f"table.header({', '.join(f'strong({cell})' for cell in head)}), " if named else ""
        if not named:
            rows = [[f"strong({row[0]})", *row[1:]] for row in rows]
        cells = ", ".join(cell for row in rows for cell in row)
        return f"#table(columns: ({columns},), {top}{cells})"

    def _spans(self, children: Sequence[Token]) -> str:
        found: list[str] = []
        for child in children:
            match child.type:
                case "text" | "html_inline":
                    found.append(f"#{_quoted(child.content)};")
                case "code_inline":
                    found.append(f"#raw({_quoted(child.content)});")
                case "softbreak":
                    found.append(" ")
                case "hardbreak":
                    found.append("#linebreak();")
                case "em_open":
                    found.append("#emph[")
                case "strong_open":
                    found.append("#strong[")
                case "link_open":
                    found.append(self._link(str(child.attrGet("href") or "")))
                case "em_close" | "strong_close" | "link_close":
                    found.append("];")
                case "image":
                    found.append(self._chart(child))
                case _:
                    pass
        return "".join(found)

    def _chart(self, image: Token) -> str:
        svg = self.pictures[str(image.attrGet("src"))]
        return f"#chart({_literal(svg)}, {_literal(image.content)});"

    def _link(self, href: str) -> str:
        """Return the beginning of a link; a path of this server is no address on paper."""
        return f"#link({_literal(href)})[" if _WEB.fullmatch(href) else "#text()["


def _literal(text: str) -> str:
    """Return ``text`` as a string literal, character by character."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


def _widths(texts: Sequence[Sequence[str]]) -> list[str]:
    """Return the widths of columns: short ones take what they need, others share the rest."""
    longest = [max(map(len, column)) for column in zip(*texts, strict=True)]
    if sum(longest) <= _NARROW:
        return ["auto"] * len(longest)
    if sum(longest) <= _WIDE:
        return ["auto"] * (len(longest) - 1) + ["1fr"]
    return [
        "auto" if size <= 20 else f"{min(_MAX_SHARE, max(_MIN_SHARE, size))}fr" for size in longest
    ]
