"""Backups: what was acknowledged before one began is there after it was put back."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from collectors.errors import ConfigError, StorageError
from tocsin.backup.archive import ABOUT, MANIFEST
from tocsin.backup.restoring import check_archive, restore
from tocsin.backup.staging import STAGE, staged
from tocsin.cli import group


def run(*words: object) -> Result:
    return CliRunner().invoke(group, [str(word) for word in words], catch_exceptions=False)


def untold(count: int) -> None:
    del count


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory of every kind of file that a server keeps."""
    root = tmp_path / "data"
    part = root / "history" / "store" / "3b6" / "all_1_1_0"
    for folder in (root / "metrics" / "checkpoint", root / "metrics" / "log", part):
        folder.mkdir(parents=True)
    (root / "history" / "store" / "3b6" / "detached").mkdir()
    (root / "history" / "store" / "3b6" / "tmp_insert_all_2").mkdir()
    (root / "history" / "data").mkdir()
    (root / "history" / "data" / "spans").symlink_to("../store/3b6")
    (part / "data.bin").write_bytes(b"part" * 1_000)
    (root / "metrics" / "checkpoint" / "checkpoint.json").write_bytes(b"one")
    (root / "metrics" / "checkpoint" / "block-1-1.col").write_bytes(b"block")
    (root / "metrics" / "checkpoint" / "block-0-1.col.corrupt-20261201T000000").write_bytes(b"?")
    (root / "metrics" / "log" / "00000001.log").write_bytes(b"record")
    (root / "owner.lock").write_bytes(b"77\n")
    with sqlite3.connect(root / "incidents.db") as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE incidents (id TEXT)")
        database.execute("INSERT INTO incidents VALUES ('INC-7')")
    return root


def test_a_backup_comes_back_as_it_was(data_dir: Path, tmp_path: Path) -> None:
    """What the backup lost nobody would miss before the day that it is needed."""
    config, archive = tmp_path / "config", tmp_path / "night.tar.gz"
    (config / "slos").mkdir(parents=True)
    (config / "slos" / "shop.yaml").write_text("kind: SLO\n")
    made = run("backup", archive, "--data-dir", data_dir, "--config-dir", config, "--json")
    assert made.exit_code == 0
    said = orjson.loads(made.stdout)
    assert said["left_out"] == ["metrics/checkpoint/block-0-1.col.corrupt-20261201T000000"]
    assert archive.stat().st_mode & 0o077 == 0
    assert not (data_dir / STAGE).exists()

    back, config_back = tmp_path / "back", tmp_path / "config-back"
    put = run("restore", archive, "--data-dir", back, "--config-dir", config_back)
    assert put.exit_code == 0, put.output
    assert (back / "history/data/spans/all_1_1_0/data.bin").read_bytes() == b"part" * 1_000
    assert (back / "history/store/3b6/detached").is_dir()
    assert not list(back.rglob("tmp_insert*"))
    assert (back / "metrics/log/00000001.log").read_bytes() == b"record"
    assert (config_back / "slos/shop.yaml").read_text() == "kind: SLO\n"
    assert not (back / "owner.lock").exists()
    with sqlite3.connect(back / "incidents.db") as database:
        assert database.execute("SELECT id FROM incidents").fetchall() == [("INC-7",)]


def test_what_is_written_meanwhile_does_not_change_a_copy(data_dir: Path) -> None:
    """A log that grows, and a list that is replaced, would be read at two moments."""
    log, manifest = data_dir / "metrics/log/00000001.log", data_dir / "metrics/checkpoint"
    with staged(data_dir) as found:
        with log.open("ab") as file:
            file.write(b" and more")
        (manifest / "new").write_bytes(b"two")
        (manifest / "new").replace(manifest / "checkpoint.json")
        files = {one.name: one for one in found.files}
        assert files["metrics/log/00000001.log"].size == len(b"record")
        assert files["metrics/checkpoint/checkpoint.json"].path.read_bytes() == b"one"


def test_a_checkpoint_that_is_replaced_meanwhile_is_copied_again(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old manifest would name blocks that are gone."""
    folder, linked = data_dir / "metrics/checkpoint", Path.hardlink_to
    replaced = threading.Event()

    def link(here: Path, path: Path) -> None:
        linked(here, path)
        if path.name == "checkpoint.json" and not replaced.is_set():
            replaced.set()
            (folder / "block-1-1.col").unlink()
            (folder / "block-1-2.col").write_bytes(b"again")
            (folder / "new").write_bytes(b"two")
            (folder / "new").replace(folder / "checkpoint.json")

    monkeypatch.setattr(Path, "hardlink_to", link)
    with staged(data_dir) as found:
        names = {one.name: one.path.read_bytes() for one in found.files}
    assert names["metrics/checkpoint/checkpoint.json"] == b"two"
    assert names["metrics/checkpoint/block-1-2.col"] == b"again"
    assert "metrics/checkpoint/block-1-1.col" not in names


def test_a_disk_without_links_is_copied(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network disks know none: there would be no backup at all."""

    def refused(here: Path, path: Path) -> None:
        raise PermissionError(1, os.strerror(1), str(path))

    monkeypatch.setattr(Path, "hardlink_to", refused)
    with staged(data_dir) as found:
        assert "metrics/log/00000001.log" in {one.name for one in found.files}


def test_two_backups_do_not_share_a_stage(data_dir: Path) -> None:
    """The second would take the links of the first away."""
    with staged(data_dir), pytest.raises(ConfigError, match="another backup"), staged(data_dir):
        pass


def test_nothing_is_overwritten(data_dir: Path, tmp_path: Path) -> None:
    """A typing error at night would cost what was to be saved."""
    archive = tmp_path / "night.tar"
    assert run("backup", archive, "--data-dir", data_dir).exit_code == 0
    with pytest.raises(ConfigError, match="is there already"):
        run("backup", archive, "--data-dir", data_dir)
    with pytest.raises(ConfigError, match="holds something"):
        run("restore", archive, "--data-dir", data_dir)
    config = tmp_path / "config"
    config.mkdir()
    (config / "people.yaml").write_text("newer")
    kept = restore(archive, tmp_path / "back", config, untold).config_kept
    assert kept == ""  # this backup has no configuration to put back


def _cut(archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


def _flip(archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    data[data.index(b"part" * 8) + 5] ^= 1
    archive.write_bytes(data)


def _end(archive: Path) -> None:
    """Take the manifest off, as a killed backup would."""
    with tarfile.open(archive) as tar:
        wanted = [m for m in tar.getmembers() if m.name != MANIFEST]
        members = [(m, tar.extractfile(m) if m.isreg() else None) for m in wanted]
        texts = [(m, f.read() if f else b"") for m, f in members]
    with tarfile.open(archive, "w") as tar:
        for member, text in texts:
            tar.addfile(member, io.BytesIO(text))


@pytest.mark.parametrize("damage", [_cut, _flip, _end])
def test_a_damaged_backup_restores_nothing(
    damage: Callable[[Path], None], data_dir: Path, tmp_path: Path
) -> None:
    """Half of the data would be taken for all of them."""
    archive, back = tmp_path / "night.tar", tmp_path / "back"
    run("backup", archive, "--data-dir", data_dir)
    damage(archive)
    with pytest.raises(StorageError, match=r"damaged|cut off"):
        check_archive(archive, untold)
    with pytest.raises(StorageError):
        restore(archive, back, None, untold)
    assert not back.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("back")] == []


def _archive(path: Path, members: list[tarfile.TarInfo]) -> Path:
    about = {"format": 1, "version": "0", "made_ms": 0, "files": 0, "size": 0}
    text = json.dumps(about | {"elsewhere": [], "left_out": []}).encode()
    with tarfile.open(path, "w") as tar:
        for name, said in ((ABOUT, text), (MANIFEST, b"{}")):
            member = tarfile.TarInfo(name)
            member.size = len(said)
            tar.addfile(member, io.BytesIO(said))
            if name == ABOUT:
                for one in members:
                    tar.addfile(one, io.BytesIO(b""))
    return path


def _link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def _device(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.FIFOTYPE
    return member


@pytest.mark.parametrize(
    "members",
    [
        [tarfile.TarInfo("data/../../out")],
        [tarfile.TarInfo("/etc/out")],
        [tarfile.TarInfo("elsewhere/out")],
        [_link("data/a", "/etc")],
        [_link("data/a", "../../..")],
        [_link("data/a", "."), tarfile.TarInfo("data/a/out")],
        [_device("data/pipe")],
    ],
    ids=["dots", "root", "folder", "link to the root", "link out", "through a link", "pipe"],
)
def test_a_forged_archive_writes_nowhere_else(
    members: list[tarfile.TarInfo], tmp_path: Path
) -> None:
    """A file that somebody sends could otherwise replace any file of the operator."""
    archive = _archive(tmp_path / "forged.tar", members)
    with pytest.raises(StorageError):
        restore(archive, tmp_path / "inner" / "back", None, untold)
    assert not (tmp_path / "inner" / "back").exists()
    assert not list(tmp_path.rglob("out"))


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("restore", "nowhere.tar", "--check"), "there is no backup"),
        (("backup", "night.zip"), "must end in"),
        (("backup", "night.tar", "--data-dir", "nowhere"), "is no data directory"),
        (("backup", "night.tar", "--data-dir", "."), "is no data directory"),
    ],
)
def test_what_can_not_be_is_said(
    words: tuple[str, ...], match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A traceback tells an operator nothing."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=match):
        run(*words)


def test_what_lies_on_other_servers_is_told(data_dir: Path, tmp_path: Path) -> None:
    """A backup without its incidents would look whole."""
    made = run(
        *("backup", tmp_path / "night.tar", "--data-dir", data_dir),
        *("--history", "http://ops:secret@ch.example.org:8123/tocsin"),
    )
    assert "not in it: history is on http://ch.example.org:8123" in made.output
    assert "secret" not in made.output
