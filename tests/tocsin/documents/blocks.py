"""The code blocks of the documentation, so that tests can write and run what readers copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tocsin.cli import group

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^```(?P<language>[a-z]*)(?: title=\"(?P<title>[^\"]*)\")?[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block: its language, its title (a file's path or a terminal) and its text."""

    language: str
    title: str
    text: str

    def commands(self) -> list[str]:
        """Return the command lines of a shell block, continued lines joined, comments left out."""
        joined = self.text.replace("\\\n", " ")
        return [line for line in joined.splitlines() if line.strip() and line[0] not in "# "]


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the blocks of a page below docs/, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield Block(language=match["language"], title=match["title"] or "", text=str(match["text"]))


def titled(page: str) -> dict[str, Block]:
    """Return the blocks that have a title, by it."""
    return {block.title: block for block in blocks_of(page) if block.title}


def understood(words: list[str]) -> None:
    """Have the command line parse words without doing anything."""
    command: click.Command = group
    context = click.Context(group, info_name="tocsin")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
    command.make_context(command.name, list(words))
