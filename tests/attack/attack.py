"""What an attack is, and how it is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from collectors.discovery import declared
from tests.attack import attacks
from tests.attack.honest import Honest, honest
from tests.attack.stage import Stage, staged

PAGE_WITHIN_S = 30.0
# So many honest sends must have been answered for their waits to mean anything.
HEARD, HEARD_WITHIN_S = 5, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something that must hold: whether it did, and what was seen."""

    text: str
    held: bool
    seen: str


@dataclass(slots=True, kw_only=True)
class Scene:
    """What an attack works with.

    Attributes:
        stage: The server.
        beside: The honest parties beside it.
        claims: What the attack itself asked and saw, besides what always must hold.
        figures: What it measured besides.
    """

    stage: Stage
    beside: Honest
    claims: list[Claim] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether the attack is made at full size; otherwise it takes some seconds."""
        return self.stage.full

    def claim(self, text: str, held: bool, seen: object) -> None:
        """Note that something must hold, whether it does, and what was seen."""
        self.claims.append(Claim(text=text, held=held, seen=str(seen)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack; a file of :mod:`tests.attack.attacks` declares it as ``ATTACK``.

    Attributes:
        name: Of the attack, as the command line has it.
        holds: What must hold, in a sentence.
        run: Makes the attack; claims what it sees of its own.
        settings: Settings of the server by name.
        send_p99_ms: Honest senders wait no longer.
        lag_s: Evaluation is never further behind.
        memory_mb: The server takes no more memory than this beyond what it had.
        pages: Whether the checkout service begins to fail with the attack: it pages in 30 s, from
            a server of its own, whose people believe that all is well.
        refusals: How failures of honest requests begin that are right under this attack: what
            can't be made durable is refused.
    """

    name: str
    holds: str
    run: Callable[[Scene], None]
    settings: Mapping[str, str] = field(default_factory=dict)
    send_p99_ms: float = 1_000
    lag_s: float = 10
    memory_mb: float = 300
    pages: bool = False
    refusals: tuple[str, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether it takes a server of its own."""
        return self.pages or bool(self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How an attack went."""

    name: str
    holds: str
    took_s: float
    figures: Mapping[str, float]
    claims: tuple[Claim, ...]

    @property
    def broken(self) -> list[Claim]:
        """What did not hold."""
        return [claim for claim in self.claims if not claim.held]


def every_attack() -> dict[str, Attack]:
    """Return what the files declare, by name."""
    return declared(attacks, "ATTACK", Attack)


def play(attack: Attack, stage: Stage) -> Report:
    """Make an attack beside honest parties, and judge it."""
    with honest(stage) as beside:
        scene = Scene(stage=stage, beside=beside)
        _wait_for(beside, attack.lag_s)
        stage.forget_peak()
        before_mb = stage.memory_mb()
        beside.forget()
        begun = time.monotonic()
        with ThreadPoolExecutor() as pool:
            page = pool.submit(beside.paged, PAGE_WITHIN_S) if attack.pages else None
            attack.run(scene)
            took_s = time.monotonic() - begun
            beside.heard(HEARD, HEARD_WITHIN_S)
        paged_s = page.result() if page is not None else None
    figures = {
        "honest sends": float(len(beside.sends.seconds)),
        "send p50 ms": beside.sends.percentile_ms(50),
        "send p99 ms": beside.sends.percentile_ms(99),
        "health p99 ms": beside.looks.percentile_ms(99),
        "lag s": beside.lag_s,
        "memory MB": stage.memory_mb() - before_mb if stage.alive else float("nan"),
    }
    if attack.pages:
        figures["page s"] = float("nan") if paged_s is None else paged_s
        scene.claim(f"an outage pages in {PAGE_WITHIN_S:.0f} s", paged_s is not None, paged_s)
    return Report(
        name=attack.name,
        holds=attack.holds,
        took_s=took_s,
        figures=figures | scene.figures,
        claims=(*_standing(attack, stage, beside, figures), *scene.claims),
    )


def play_alone(attack: Attack, directory: Path, *, full: bool) -> Report:
    """Make an attack on a server of its own."""
    with staged(directory, full=full, **attack.settings) as stage:
        return play(attack, stage)


def _wait_for(beside: Honest, lag_s: float) -> None:
    """Return when the honest parties are served and their service is judged."""
    deadline = time.monotonic() + 60
    while not (_served(beside) and beside.lag_now_s <= lag_s):
        assert time.monotonic() < deadline, beside.sends.failures or f"lag {beside.lag_now_s} s"
        time.sleep(0.05)


def _served(beside: Honest) -> bool:
    return len(beside.sends.seconds) >= 5 and len(beside.looks.seconds) >= 5


def _standing(
    attack: Attack, stage: Stage, beside: Honest, figures: Mapping[str, float]
) -> list[Claim]:
    """Return what must hold under every attack."""

    def at_most(name: str, limit: float) -> Claim:
        return Claim(
            text=f"{name} <= {limit:g}", held=figures[name] <= limit, seen=f"{figures[name]:.3g}"
        )

    every = (*beside.sends.failures, *beside.looks.failures)
    failures = [failure for failure in every if not failure.startswith(attack.refusals or "\0")]
    return [
        Claim(text="the server runs", held=stage.alive, seen=str(stage.alive)),
        Claim(text="every honest request succeeds", held=not failures, seen=str(failures[:3])),
        at_most("send p99 ms", attack.send_p99_ms),
        at_most("lag s", attack.lag_s),
        at_most("memory MB", attack.memory_mb),
    ]
