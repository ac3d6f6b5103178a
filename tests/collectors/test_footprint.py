"""Pages of files that were only read are let go; what a process wrote never is."""

from pathlib import Path

import numpy as np
import pytest

from collectors.host.footprint import give_back, unchanged_files

_SMAPS = """\
7f0000000000-7f0000004000 r-xp 00001000 08:01 77    /lib/libLLVM.so
Size:                 16 kB
Anonymous:             0 kB
7f0000004000-7f0000008000 r--p 00005000 08:01 77    /lib/libLLVM.so
Anonymous:            16 kB
7f0000008000-7f000000a000 rw-p 00009000 08:01 77    /lib/libLLVM.so
Anonymous:             0 kB
7f000000a000-7f000000c000 r--s 00000000 08:01 78    /data/shared
Anonymous:             0 kB
7f000000c000-7f000000e000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f000000e000-7f0000010000 r--p 00000000 00:00 0     [vvar]
Anonymous:             0 kB
7f0000010000-7f0000011000 r--p 00000000 08:01 79    /lib/libre 2.so
Anonymous:             0 kB
"""


def test_only_untouched_private_mappings_of_files_are_let_go() -> None:
    """Relocated constants and written data would be lost: the file has other bytes there."""
    found = list(unchanged_files(_SMAPS.splitlines()))
    assert found == [(0x7F0000000000, 0x4000), (0x7F0000010000, 0x1000)]


def test_the_process_works_on_afterwards() -> None:
    """What is needed again is read again."""
    if not Path("/proc/self/smaps").exists():
        pytest.skip("the system does not tell of mappings")
    matrix = np.arange(16.0).reshape(4, 4) + np.eye(4) * 20
    before = np.linalg.inv(matrix)
    assert give_back() > 0
    assert np.array_equal(np.linalg.inv(matrix), before)
