"""A post-mortem as a web page, every text of it escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from runbooks.postmortem.document import TEMPLATES
from runbooks.postmortem.markdown import Block, blocks_of
from runbooks.postmortem.sections import BLANK


def as_html(document: str) -> str:
    """Return the page for a post-mortem in Markdown."""
    blocks = blocks_of(document)
    title = next((_text(block) for block in blocks if block.kind == "heading"), "Post-mortem")
    return _environment().get_template("page.html.j2").render(blocks=blocks, title=title)


def _text(block: Block) -> str:
    return "".join(run.text for row in block.rows for cell in row for run in cell)


def _is_blank(block: Block) -> bool:
    return _text(block).startswith(BLANK.strip("_"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["blank"] = _is_blank
    return environment
