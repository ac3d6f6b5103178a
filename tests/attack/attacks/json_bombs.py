"""Small compressed bodies that become millions of JSON values."""

from __future__ import annotations

from functools import partial

from tests.attack.attack import Attack, Scene
from tests.attack.sending import AT_ONCE, MEGABYTE, all_at_once, packed, post

JSON = {"content-type": "application/json", "content-encoding": "gzip"}


def repeated(head: bytes, each: bytes, last: bytes, tail: bytes, size: int) -> bytes:
    """Return a document of one element after another."""
    return head + (each + b",") * (size // (len(each) + 1)) + last + tail


def bombs(size: int) -> dict[str, bytes]:
    """Return bodies by path, as large as the bound on bytes lets them be."""
    spans, metrics = b'{"resourceSpans":[', b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":['
    return {
        "/api/v1/publish": repeated(b"[", b"[]", b"[]", b"]", size),
        "/api/v1/publish-fast": repeated(b"[", b"{}", b"{}", b"]", size // 8),
        "/api/v2/spans": repeated(b"[", b"{}", b"{}", b"]", size // 8),
        "/v1/traces": repeated(spans, b"{}", b"[]", b"]}", size // 16),
        "/v1/metrics": repeated(metrics, b"{}", b'{"name":5}', b"]}]}]}", size // 16),
    }


def run(scene: Scene) -> None:
    """Send each of them 16 times at once."""
    for path, body in bombs((64 if scene.full else 32) * MEGABYTE - 100).items():
        small = packed(body)
        base = scene.stage.addresses["otlp_http"] if path.startswith("/v1/") else scene.stage.api
        times = AT_ONCE if scene.full or path == "/v1/traces" else 2
        statuses = all_at_once(partial(post, base + path, small, JSON), times)
        wanted = {400, 413, 503}
        scene.claim(f"{path} refuses {len(small)} bytes", set(statuses) <= wanted, statuses)


ATTACK = Attack(
    name="json-bombs",
    holds="Values of a JSON body are counted before they are made: 413, and nobody waits.",
    run=run,
    settings={"max_body_cpu": "500ms"},
    memory_mb=400,
)
