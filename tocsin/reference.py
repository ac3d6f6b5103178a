"""Reference pages that are generated from the code they describe.

``python -m tocsin.reference`` writes them; a test says when they are stale.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from collectors.stacklang.words.reference import render_reference
from tocsin.settings import setting_rows

_SETTINGS_HEAD = """# Settings

Precedence: command line, then environment, then `tocsin.toml` (or the file that `TOCSIN_CONFIG_FILE` names), then the default.
In `tocsin.toml` a setting is written under its plain name, for example `step = "5s"`. Port 0 means any free port; the chosen one is
printed. This page is generated from `tocsin/settings.py`.

| setting | environment | command line | default | meaning |
|---|---|---|---|---|
"""  # noqa: E501 - prose in a Markdown page


def settings_page() -> str:
    """Return the settings table as Markdown."""
    rows = [
        f"| `{r.name}` | `{r.variable}` | `{r.option}` | {f'`{r.default}`' if r.default else '–'} "
        f"| {r.description} |\n"
        for r in setting_rows()
    ]
    return _SETTINGS_HEAD + "".join(rows)


def pages() -> Mapping[str, str]:
    """Return every generated page by its path below ``docs/``."""
    return {
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
