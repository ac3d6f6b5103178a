"""The file that says which tags old series lose."""

from pathlib import Path

import pytest

from collectors.errors import DocumentError
from collectors.stacklang.predicates.predicate import Equal
from collectors.store.history.rollup_policies import load_rollup_policies
from collectors.store.history.rollups import RollupPolicy

DOCS = Path(__file__).parents[4] / "docs"


def policies(directory: Path, text: str) -> tuple[RollupPolicy, ...]:
    path = directory / "rollups.yaml"
    path.write_text(text)
    return load_rollup_policies(path)


def test_policies_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Another policy than the first that matches would apply."""
    text = "rollups:\n- {query: 'name,cpu,:eq', drop: [node]}\n- {query: ':true', drop: [a, b]}\n"
    first, second = policies(tmp_path, text)
    assert first == RollupPolicy(query=Equal("name", "cpu"), drop_keys=("node",))
    assert second.drop_keys == ("a", "b")
    assert second.query.matches({"name": "x"})


def test_the_documented_file_is_one(tmp_path: Path) -> None:
    """An operator who copies the example would be refused."""
    page = (DOCS / "reference" / "receivers.md").read_text()
    (policy,) = policies(tmp_path, page.partition("```yaml\n")[2].partition("```")[0])
    assert policy.query.matches({"name": "http.requests"})
    assert not policy.query.matches({"name": "cpu"})


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("rollups:\n- {query: ':true'}\n", 2, "drop: is required"),
        ("rollups:\n- {query: ':true', drop: []}\n", 2, "names no tag"),
        ("rollups:\n- {query: ':true', drop: [name]}\n", 2, "'name' can't be dropped"),
        ("rollups:\n- query: 'name,:eq'\n  drop: [a]\n", 2, "is no query: no matches for word"),
        ("rollups:\n- query: 'name,a,:eq,b'\n  drop: [a]\n", 2, "must leave one query"),
        ("rollup: []\n", 1, "unknown field"),
    ],
    ids=["no drop", "empty drop", "name", "bad query", "two things", "unknown field"],
)
def test_mistakes_have_their_place(tmp_path: Path, text: str, line: int, message: str) -> None:
    """An operator would have to search for the mistake."""
    with pytest.raises(DocumentError, match=rf"rollups.yaml:{line}: .*{message}"):
        policies(tmp_path, text)
