"""The documentation site builds, and leads everywhere."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.tocsin.documents.blocks import DOCS, ROOT


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """A link that leads nowhere, or a page that no menu names, is found by a reader otherwise."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    page = (tmp_path / "tutorials/python/index.html").read_text()
    assert "fonts.googleapis" not in page


def test_every_how_to_and_tutorial_is_in_the_menu() -> None:
    """A page that no menu names is not found."""
    menu = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    pages = {
        p.relative_to(DOCS).as_posix()
        for d in ("how-to", "tutorials")
        for p in (DOCS / d).glob("*.md")
    }

    assert {page for page in pages if page not in str(menu)} == set()
