"""The part of Markdown that post-mortems use, read into blocks. Pure.

Headings, paragraphs, lists, tables, quotes; within a line: links, code, bold and italics. Anything
else is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(
    r"\\(?P<escaped>[\\`*_|<>\[\]])"
    r"|`(?P<code>[^`]+)`"
    r"|\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<target>[^\s()]*)\)"
    r"|\*\*(?P<bold>[^*]+)\*\*"
    r"|(?<!\w)_(?P<italic>[^_]+)_(?!\w)"
)
_CELL = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|?[\s:|-]+\|?")
_SAFE = re.compile(r"(?:https?://|/)[^\s]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of text: ``kind`` is text, code, link, bold or italic."""

    kind: str
    text: str
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """``kind`` is heading, paragraph, list, table or quote; a row is a sequence of cells."""

    kind: str
    level: int = 0
    rows: Sequence[Sequence[Sequence[Run]]] = ()


def blocks_of(document: str) -> list[Block]:
    """Read ``document``; comments are left out."""
    lines = _COMMENT.sub("", document).splitlines()
    blocks: list[Block] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if not line.strip():
            position += 1
            continue
        kind = _kind(line)
        taken = [line]
        while kind != "heading" and position + len(taken) < len(lines):
            following = lines[position + len(taken)]
            if not following.strip() or _kind(following) != kind:
                break
            taken.append(following)
        blocks.append(_READERS[kind](taken))
        position += len(taken)
    return blocks


def runs_of(text: str) -> list[Run]:
    """Read one line's inline markup."""
    runs: list[Run] = []
    position = 0
    for found in _INLINE.finditer(text):
        runs.extend(_plain(text[position : found.start()]))
        runs.append(_run(found))
        position = found.end()
    runs.extend(_plain(text[position:]))
    return runs


def _run(found: re.Match[str]) -> Run:
    if found["escaped"]:
        return Run(kind="text", text=found["escaped"])
    if found["code"]:
        return Run(kind="code", text=found["code"])
    if found["bold"]:
        return Run(kind="bold", text=found["bold"])
    if found["italic"]:
        return Run(kind="italic", text=found["italic"])
    label = re.sub(r"\\(.)", r"\1", found["label"])
    # Only web addresses become links: a javascript: target stays text.
    if _SAFE.fullmatch(found["target"]):
        return Run(kind="link", text=label, target=found["target"])
    return Run(kind="text", text=label)


def _plain(text: str) -> Iterator[Run]:
    if text:
        yield Run(kind="text", text=text)


def _kind(line: str) -> str:
    if re.match(r"#{1,6} ", line):
        return "heading"
    if line.startswith("|"):
        return "table"
    if re.match(r"[-*] ", line):
        return "list"
    return "quote" if line.startswith(">") else "paragraph"


def _heading(lines: Sequence[str]) -> Block:
    marks, _, text = lines[0].partition(" ")
    return Block(kind="heading", level=len(marks), rows=[[runs_of(text)]])


def _table(lines: Sequence[str]) -> Block:
    """Return a table; its level is 1 when the first row is a heading, 0 when that is empty."""
    rows = [
        [runs_of(cell.strip()) for cell in _CELL.split(line.strip().strip("|"))]
        for line in lines
        if not _RULE.fullmatch(line)
    ]
    return Block(kind="table", level=0 if _RULE.fullmatch(lines[0]) else 1, rows=rows)


def _list(lines: Sequence[str]) -> Block:
    return Block(kind="list", rows=[[runs_of(line[2:])] for line in lines])


def _quote(lines: Sequence[str]) -> Block:
    return Block(kind="quote", rows=[[runs_of(" ".join(line.lstrip("> ") for line in lines))]])


def _paragraph(lines: Sequence[str]) -> Block:
    return Block(kind="paragraph", rows=[[runs_of(" ".join(line.strip() for line in lines))]])


_READERS: dict[str, Callable[[Sequence[str]], Block]] = {
    "heading": _heading,
    "table": _table,
    "list": _list,
    "quote": _quote,
    "paragraph": _paragraph,
}
