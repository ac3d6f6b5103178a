"""The examples in docstrings, of every module of the product, are run."""

from __future__ import annotations

import doctest
import importlib

import pytest

from tests.architecture.house import ROOT, product_files


def modules_with_examples() -> list[str]:
    """Return the modules whose text has a prompt, as ``import`` names them."""
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in product_files()
        if ">>> " in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_do_what_they_say(name: str) -> None:
    """A reader who tries an example would see something else."""
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert failed == 0
    assert tried > 0
