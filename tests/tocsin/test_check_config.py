"""``tocsin check-config``: an operator's mistakes with file, line and field."""

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from tocsin.cli import group

OPS = Path(__file__).parents[2] / "demo_stack" / "ops"

BAD_FILES = [
    ("slos/a.yaml", "apiVersion: openslo/v1\nkind: SLO\nmetadata:\n  name: A B\n", "metadata.name"),
    ("detectors/b.yaml", "apiVersion: tocsin/v1\nkind: Detector\nspec: {}\n", "metadata"),
    ("runbooks/c.yaml", "name: Not A Name\n", ""),
    ("scrape.yaml", "scrape_configs:\n  - scrape_interval: 5s\n", "scrape_configs"),
    ("routes.yaml", "default: []\n", "default"),
]


def check(directory: Path) -> tuple[int, dict[str, object]]:
    """Run the command and return its exit code and JSON answer."""
    arguments = ["check-config", "--json", "--config-dir", str(directory)]
    result = CliRunner().invoke(group, arguments)
    answer: dict[str, object] = orjson.loads(result.output)
    return result.exit_code, answer


def test_the_demo_platforms_own_configuration_is_in_order() -> None:
    """What we ship as an example passes."""
    assert check(OPS) == (0, {"ok": True, "problems": []})


@pytest.mark.parametrize(("name", "text", "field"), BAD_FILES)
def test_a_mistake_is_told_with_its_place(name: str, text: str, field: str, tmp_path: Path) -> None:
    """Exit code 3; the problem names the file, a line and the field."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)

    code, answer = check(tmp_path)

    problems = answer["problems"]
    assert code == 3
    assert isinstance(problems, list)
    assert problems[0]["file"] == str(file)
    assert problems[0]["line"] >= 1
    assert field in problems[0]["field"]
    assert problems[0]["message"]


def test_every_file_is_looked_at(tmp_path: Path) -> None:
    """One bad file does not hide another."""
    for name, text, _ in BAD_FILES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    _, answer = check(tmp_path)

    problems = answer["problems"]
    assert isinstance(problems, list)
    found = {Path(p["file"]).relative_to(tmp_path).as_posix() for p in problems}
    assert found == {name for name, _, _ in BAD_FILES}


def test_a_missing_directory_is_a_problem(tmp_path: Path) -> None:
    """A typo in TOCSIN_CONFIG_DIR must not mean that nothing is watched."""
    code, answer = check(tmp_path / "nowhere")

    assert code == 3
    assert "no such directory" in str(answer["problems"])
