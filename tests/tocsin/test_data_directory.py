"""A data directory has one owner at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.errors import ConfigError, StorageError
from tocsin.cli import group
from tocsin.data_directory import owned

_OWNER = "import pathlib, sys; from tocsin.data_directory import owned\n"
_OWNER += "with owned(pathlib.Path(sys.argv[1])): print('mine', flush=True); sys.stdin.read()"


def test_a_second_process_is_told_whose_it_is_until_the_first_is_killed(tmp_path: Path) -> None:
    """Two servers would write one log, and a killed one would lock it for ever."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"mine\n"
    with pytest.raises(ConfigError, match=rf"process {owner.pid}\); stop"), owned(tmp_path):
        pass
    check = CliRunner().invoke(group, ["history", "check", "--data-dir", str(tmp_path)])
    assert isinstance(check.exception, ConfigError)
    owner.kill()
    owner.communicate()
    with owned(tmp_path):
        pass


def test_a_directory_that_can_not_be_is_an_error_of_ours(tmp_path: Path) -> None:
    """A wrong path would end in a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be used"), owned(tmp_path / "file"):
        pass
