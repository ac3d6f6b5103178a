"""More idle connections than there may be files."""

from __future__ import annotations

from contextlib import ExitStack

from tests.attack.attack import Attack, Scene
from tests.attack.sending import opened


def run(scene: Scene) -> None:
    """Open them and keep them open; everybody else is served."""
    many = 3_000 if scene.full else 800
    addresses = [scene.stage.api] * many + [scene.stage.addresses["otlp_http"]] * (many // 4)
    with ExitStack() as held:
        for address in addresses:
            held.enter_context(opened(address))
        _look(scene)


def _look(scene: Scene) -> None:
    scene.beside.forget()
    answers = [scene.stage.get("/health", timeout_s=5) for _ in range(50)]
    told = answers[-1].json()["connections"]
    scene.claim("health is answered", all(a.is_success for a in answers), told)
    scene.claim("connections are bounded", told["open"] <= told["most"], told)
    scene.claim("idle ones made room", told["evicted"] + told["timed_out"].get("head", 0) > 0, told)


ATTACK = Attack(
    name="idle-sockets",
    holds="Idle connections lock nobody out: the one idle for longest makes room.",
    run=run,
    settings={"max_connections": "300", "max_peer_connections": "200"},
    memory_mb=100,
)
