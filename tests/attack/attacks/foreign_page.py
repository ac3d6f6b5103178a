"""A page that somebody has open elsewhere sends commands, and so does a name of its owner."""

from __future__ import annotations

import httpx2

from tests.attack.attack import Attack, Scene

CHANGES = ("/api/v2/changes", "/api/v1/publish", "/api/v2/incidents/inc-0001/commands")
FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example:7101", "Origin": "http://evil.example:7101"},
)
REBOUND = {"Host": "evil.example:7101"}


READ = ("/api/v2/incidents", "/api/v1/tags", "/health")


def run(scene: Scene) -> None:
    """Try as a browser would that was led here, a few times."""
    with httpx2.Client(base_url=scene.stage.api, trust_env=False, timeout=10) as client:
        for _ in range(5):
            _try(scene, client)


def _try(scene: Scene, client: httpx2.Client) -> None:
    for path in CHANGES:
        for headers in FOREIGN:
            answer = client.post(path, content=b"{}", headers=headers)
            scene.claim(f"{path} by {headers} is 403", answer.status_code == 403, answer.text)
    for path in ("/api/v2/changes", "/api/v2/reload"):
        answer = client.post(path, content=b"{}", headers=REBOUND)
        scene.claim(f"{path} by {REBOUND} is 403", answer.status_code == 403, answer.text)
    for path in READ:
        answer = client.get(path, headers=REBOUND)
        scene.claim(f"reading {path} by {REBOUND} is 403", answer.status_code == 403, answer.text)
    ours = client.post("/api/v2/changes", content=b"{}")
    scene.claim("a program is answered", ours.status_code != 403, ours.text)


ATTACK = Attack(
    name="foreign-page",
    holds="No page of others, and no name of theirs, changes anything.",
    run=run,
)
