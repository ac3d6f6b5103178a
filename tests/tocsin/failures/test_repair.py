"""``tocsin doctor`` explains what is damaged; ``--repair`` mends it and deletes nothing."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from collectors.host.journal import FileJournal, read_records
from tocsin.cli import group
from tocsin.data_directory import owned


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose log of changes has a damaged record between two sound ones."""
    journal = FileJournal.open(tmp_path / "changes")
    for payload in (b"one" * 9, b"two" * 9, b"three" * 9):
        journal.append(7, payload)
    journal.close()
    segment = tmp_path / "changes" / "00000001.log"
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 0x41
    segment.write_bytes(damaged)
    return tmp_path


def told(data: Path, *options: str) -> list[dict[str, str]]:
    """Return what the doctor says of the data directory."""
    ports = [f"--{port}-port=0" for port in ("api", "otlp-http", "otlp-grpc")]
    arguments = ["doctor", "--json", "--data-dir", str(data), *ports, *options]
    answer = CliRunner().invoke(group, arguments)
    checks: list[dict[str, str]] = orjson.loads(answer.stdout)["checks"]
    return [check for check in checks if check["name"] == "data"]


def test_damage_is_explained_and_mended(data: Path) -> None:
    """Somebody would have to know the files to get a server going again."""
    before = (data / "changes" / "00000001.log").read_bytes()
    [found] = told(data)
    assert found["health"] == "problem"
    assert "--repair` would keep the 2 records" in found["detail"]
    assert (data / "changes" / "00000001.log").read_bytes() == before

    mended, *_ = told(data, "--repair")
    assert "kept 2 records" in mended["detail"]
    kept = [payload for _, payload, _ in read_records(data / "changes" / "00000001.log")]
    assert kept == [b"one" * 9, b"three" * 9]
    [aside] = (data / "changes").glob("*.corrupt-*")
    assert aside.read_bytes() == before

    [after] = told(data)
    assert (after["health"], "set aside at an earlier start" in after["detail"]) == (
        "warning",
        True,
    )


def test_a_running_server_is_left_alone(data: Path) -> None:
    """A repair under a running server would take its files away."""
    with owned(data):
        [found] = told(data, "--repair")
    assert (found["health"], "not examined" in found["detail"]) == ("problem", True)
    assert not list((data / "changes").glob("*.corrupt-*"))
