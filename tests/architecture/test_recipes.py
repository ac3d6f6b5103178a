"""The recipes of CONTRIBUTING.md are followed to the letter, on a copy of the tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.house import ROOMS, ROOT, tracked_files

pytestmark = [pytest.mark.slow, pytest.mark.patient]

_FILE = re.compile(
    r"^`([\w./-]+)`:\n\n```(?:python|json|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
CONTRACTS = {
    "A word of the stack language": {
        "tests/collectors/stacklang/program/test_interpreter.py": "rates-per-minute",
    },
    "A detector": {"tests/anomaly/detectors/test_detector_contract.py": "control_chart"},
    "A receiver": {"tests/collectors/receivers/test_endpoints.py": "plain_lines"},
    "A notifier": {"tests/runbooks/notifiers/test_notifier_contract.py": "in_the_suite"},
    "A fault of the demo platform": {
        "tests/demo_stack/chaos/test_fault_experiments.py": "licence-latency",
        "tests/demo_stack/chaos/test_chaos_effects.py": "goes_untried",
    },
    "A page of the dashboard": {"tests/dashboards/test_pages.py": "intake"},
}
"""What everything of a kind must pass, whoever adds it: by file, a word in its tests' names."""


def recipes() -> dict[str, dict[str, str]]:
    """Return the files of each recipe: path to content, by the recipe's title."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Recipes\n")[2]
    sections = re.split(r"^### (.+)$", text, flags=re.MULTILINE)[1:]
    return {
        title: dict(_FILE.findall(section))
        for title, section in zip(sections[::2], sections[1::2], strict=True)
    }


RECIPES = recipes()


@pytest.fixture(name="copy", scope="module")
def _copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages and their tests, with what every recipe adds."""
    copy = tmp_path_factory.mktemp("recipes")
    for path in tracked_files("*"):
        name = path.relative_to(ROOT)
        if name.parts[0] in (*ROOMS, "tests", "pyproject.toml"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy / name)
    for files in RECIPES.values():
        for added, content in files.items():
            assert not (copy / added).exists(), f"{added} is there already"
            (copy / added).write_text(content, encoding="utf-8")
    return copy


@pytest.fixture(name="told", scope="module")
def _told(copy: Path) -> str:
    """What pytest says of the recipes' tests and of what everything of their kind must pass."""
    tests = [name for files in RECIPES.values() for name in files if name.startswith("tests/")]
    contracts = [file for files in CONTRACTS.values() for file in files]
    words = [word for files in CONTRACTS.values() for word in files.values()]
    picked = " or ".join([*words, *(Path(name).stem for name in tests)])
    quiet = ("-q", "-rA", "--tb=short", "--show-capture=no", "-p", "no:cacheprovider")
    return run(copy, "pytest", *quiet, *tests, *contracts, "-k", picked)


def run(copy: Path, *words: str) -> str:
    """Run a module of this environment on the copy; return what it prints."""
    # Kernels run as Python: compiling them for a copy would take a minute.
    environment = {**os.environ, "PYTHONPATH": str(copy), "NUMBA_DISABLE_JIT": "1"}
    command = [sys.executable, "-m", *words]
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_every_kind_has_a_recipe_of_one_file_and_its_test() -> None:
    """Somebody would find out by reading code which list has to be edited, too."""
    assert list(RECIPES) == list(CONTRACTS)
    for title, files in RECIPES.items():
        added, test = files
        assert test.startswith("tests/"), title
        assert not added.startswith("tests/"), title


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_followed_to_the_letter_works(title: str, told: str) -> None:
    """A newcomer's first attempt would fail, and not by their fault."""
    _, test = RECIPES[title]
    outcomes = re.findall(r"^(PASSED|FAILED|ERROR) (\S+)", told, re.MULTILINE)

    for file, word in {test: "", **CONTRACTS[title]}.items():
        found = {how for how, name in outcomes if name.startswith(file) and word in name}
        assert found == {"PASSED"}, f"{file}: {found}\n{told[-6_000:]}"


def test_what_recipes_show_is_clean(copy: Path) -> None:
    """A newcomer who copies an example would first have to repair it."""
    names = [name for files in RECIPES.values() for name in files if name.endswith(".py")]

    assert "All checks passed" in run(copy, "ruff", "check", "--no-cache", *names)
    assert "already formatted" in (
        told := run(copy, "ruff", "format", "--diff", "--no-cache", *names)
    ), told
