"""Compiled kernels are kept while their sources stay the same, and no longer."""

from pathlib import Path

from collectors.kernel_cache import drop_stale


def test_a_changed_source_drops_the_compiled_kernels(tmp_path: Path) -> None:
    """After an update, old machine code would run."""
    package = tmp_path / "package"
    cache = package / "__pycache__"
    cache.mkdir(parents=True)
    source, compiled = package / "part.py", cache / "whole.kernel-1.py311.nbi"
    source.write_text("a = 1\n")
    compiled.write_bytes(b"code")
    assert drop_stale(package) == 1  # nobody knows what it was compiled from
    compiled.write_bytes(b"code")
    assert drop_stale(package) == 0
    assert compiled.exists()
    source.write_text("a = 2\n")
    assert drop_stale(package) == 1
    assert not compiled.exists()
