"""Reference pages that are generated from the code they describe.

``python -m tocsin.reference`` writes them; a test says when they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anomaly.inspections.reading import stock
from collectors.documents.schema import schema_of
from collectors.stacklang.words.reference import render_reference
from tocsin.bounds import limits_page
from tocsin.client.wording import duration, quantity
from tocsin.configuration.reading import FILES, ConfigFile
from tocsin.settings import setting_rows

_SETTINGS_HEAD = """# Settings

Precedence: command line, then environment, then files that the environment names (`TOCSIN_SLACK_BOT_TOKEN_FILE` and so on, one for each
setting), then `tocsin.toml` (or the file that `TOCSIN_CONFIG_FILE` names), then the default. Secrets have no option.
In `tocsin.toml` a setting is written under its plain name, for example `step = "5s"`. Port 0 means any free port; the chosen one is
printed. This page is generated from `tocsin/settings.py`.

| setting | environment | command line | default | meaning |
|---|---|---|---|---|
"""  # noqa: E501 - prose in a Markdown page


def settings_page() -> str:
    """Return the settings table as Markdown."""
    rows = [
        f"| `{r.name}` | `{r.variable}` | {_code(r.option)} | {_code(r.default)} "
        f"| {r.description} |\n"
        for r in setting_rows()
    ]
    return _SETTINGS_HEAD + "".join(rows)


def _code(text: str) -> str:
    return f"`{text}`" if text else "–"


_FILES_HEAD = """# Configuration files

Everything below the configuration directory (`TOCSIN_CONFIG_DIR`), in YAML or JSON. `tocsin check-config` names file, line and field of every
mistake; `tocsin schema KIND` prints the JSON Schema for an editor. This page is generated from `tocsin/configuration/reading.py`.
"""  # noqa: E501 - prose in a Markdown page

_REFERENCE = "#/$defs/"


def configuration_page() -> str:
    """Return the page as Markdown: a section a kind of file, a table a part of it."""
    return _FILES_HEAD + "".join(line for file in FILES for line in _section(file))


def _section(file: ConfigFile) -> Iterator[str]:
    yield f"\n## `{file.pattern}`\n\n{file.configures} Kind for `tocsin schema`: `{file.kind}`.\n"
    schema = schema_of(file.models())
    for name, shape in schema.get("$defs", {}).items():
        if shape.get("properties"):
            yield f"\n### {_heading(file, name)}\n\n{_line(shape.get('description', ''))}\n\n"
            yield "| field | | meaning |\n|---|---|---|\n"
            required = shape.get("required", ())
            for field, content in shape["properties"].items():
                yield _row(field, content, schema["$defs"], needed=field in required)


def _heading(file: ConfigFile, name: str) -> str:
    return f"{file.kind}: {name.removesuffix('Shape').removesuffix('File') or name}"


def _row(field: str, content: Any, known: Mapping[str, Any], *, needed: bool) -> str:
    words = [_line(content.get("description", "")), *_choices(content, known)]
    default = content.get("default")
    if not needed and default not in (None, "", [], {}):
        words.append(f"Default: `{default}`.")
    return f"| `{field}` | {'required' if needed else ''} | {' '.join(filter(None, words))} |\n"


def _choices(content: Any, known: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words that a field may hold, or the part of the document that it is."""
    for each in (content, *content.get("anyOf", ()), content.get("items", {})):
        name = each.get("$ref", "").removeprefix(_REFERENCE)
        shape = known.get(name, {})
        if shape.get("enum"):
            yield f"One of {', '.join(f'`{word}`' for word in shape['enum'])}."
        elif shape.get("properties"):
            yield f"See {name.removesuffix('Shape')}."


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_INSPECTIONS_HEAD = """# Stock inspections

What is looked at in well-known metrics as soon as they arrive; [how to use and change them](../how-to/inspections.md). This page is generated from the
files below `anomaly/inspections/library`, which also hold the expressions.
"""  # noqa: E501 - prose in a Markdown page


def inspections_page() -> str:
    """Return the list of stock inspections as Markdown: a section a group."""
    page, group = _INSPECTIONS_HEAD, ""
    for one in stock():
        if one.group != group:
            group = one.group
            page += f"\n## {group}\n\n| name | bad | for | means | why, and what to do |\n"
            page += "|---|---|---|---|---|\n"
        side = "above" if one.above is not None else "below"
        bad = f"{one.title}: {side} {quantity(one.threshold, one.unit)}"
        page += (
            f"| `{one.name}` | {_line(bad)} | {duration(one.for_s)} | {one.urgency} "
            f"| {_line(one.why)} {_line(one.hint)} |\n"
        )
    return page


def pages() -> Mapping[str, str]:
    """Return every generated page by its path below ``docs/``."""
    return {
        "explanation/limits.md": limits_page(),
        "reference/configuration-files.md": configuration_page(),
        "reference/inspections.md": inspections_page(),
        "reference/settings.md": settings_page(),
        "reference/stack-language.md": render_reference(),
    }


def main(docs: Path = Path("docs")) -> None:
    """Write the pages below ``docs``."""
    for name, text in pages().items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
