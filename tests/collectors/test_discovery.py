"""What the files of a package declare is found, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType

import pytest

from collectors.discovery import declared
from collectors.errors import ConfigError
from collectors.stacklang.program.word import Vocabulary

PACKAGE = "discovered_by_a_test"
WORDS = """\
from collectors.stacklang.program.word import Vocabulary
WORDS = Vocabulary(name={name!r}, words=())
"""


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of an empty package that can be imported."""
    root = tmp_path / PACKAGE
    root.mkdir()
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield root
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


def package() -> ModuleType:
    """Return the package, with the files that it has now."""
    invalidate_caches()
    return import_module(PACKAGE)


def test_declarations_are_found_below_and_by_their_own_names(root: Path) -> None:
    """A new file would change nothing until somebody edits a list."""
    (root / "room").mkdir()
    (root / "room" / "__init__.py").touch()
    (root / "room" / "a.py").write_text(WORDS.format(name="one"))
    (root / "b.py").write_text(WORDS.format(name="two"))

    assert list(declared(package(), "WORDS", Vocabulary)) == ["two", "one"]


def test_constants_of_other_types_and_fakes_are_left_out(root: Path) -> None:
    """A test's fake, or a list that happens to have the name, would be served to users."""
    (root / "testing").mkdir()
    (root / "testing" / "__init__.py").touch()
    (root / "testing" / "fake.py").write_text(WORDS.format(name="fake"))
    (root / "a.py").write_text("WORDS = ('some', 'words')\n")

    assert declared(package(), "WORDS", Vocabulary) == {}


def test_two_files_with_one_name_are_refused(root: Path) -> None:
    """Otherwise the order of files would decide which of them is used."""
    for name in ("a.py", "b.py"):
        (root / name).write_text(WORDS.format(name="twice"))

    with pytest.raises(ConfigError, match=rf"{PACKAGE}\.b declares a WORDS 'twice'"):
        declared(package(), "WORDS", Vocabulary)
