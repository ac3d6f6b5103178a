"""Two megabytes of the smallest gzip streams there are."""

from __future__ import annotations

from functools import partial

from tests.attack.attack import Attack, Scene
from tests.attack.sending import AT_ONCE, MEGABYTE, all_at_once, packed, post

HEADERS = {"content-type": "application/json", "content-encoding": "gzip"}


def run(scene: Scene) -> None:
    """Send them to what decompresses."""
    one = packed(b"")
    body = one * (2 * MEGABYTE // len(one))
    times = AT_ONCE if scene.full else 4
    for base, path in (("api", "/api/v1/publish"), ("otlp_http", "/v1/traces")):
        url = scene.stage.addresses[base] + path
        statuses = all_at_once(partial(post, url, body, HEADERS), times)
        scene.claim("many streams are refused", set(statuses) <= {413, 503}, statuses)


ATTACK = Attack(
    name="compressed-members",
    holds="Compressed streams in one body are bounded, and each costs what it brings.",
    run=run,
    memory_mb=150,
)
