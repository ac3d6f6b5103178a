"""Every attack in its bounded version: what must hold, holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.__main__ import as_text
from tests.attack.attack import Attack, every_attack, play, play_alone
from tests.attack.stage import Stage, staged

pytestmark = [pytest.mark.processes, pytest.mark.slow]
ATTACKS = every_attack()
ALONE = {name: attack for name, attack in ATTACKS.items() if attack.alone}
TOGETHER = {name: attack for name, attack in ATTACKS.items() if not attack.alone}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage")) as running:
        yield running


@pytest.mark.parametrize("attack", TOGETHER.values(), ids=TOGETHER)
def test_it_holds(attack: Attack, stage: Stage) -> None:
    """One server bears them all, one after the other."""
    report = play(attack, stage)
    assert not report.broken, as_text(report)


@pytest.mark.parametrize("attack", ALONE.values(), ids=ALONE)
def test_it_holds_alone(attack: Attack, tmp_path: Path) -> None:
    """These want a server that is set up for them."""
    report = play_alone(attack, tmp_path, full=False)
    assert not report.broken, as_text(report)
