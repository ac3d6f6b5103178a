"""What experiments can do. Under ``chaos run`` these functions ask the supervisor to do it.

Set ``DEMO_STACK_CONTROL`` to the supervisor's control URL (``control`` in ``platform.json``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx2


def disturb(region: str, point: str, **effect: Any) -> None:
    """Delay or fail requests that reach ``point``.

    Args:
        region: Where.
        point: Injection point.
        effect: Fields of :class:`demo_stack.chassis.disturbance.Disturbance`.
    """
    _ask("disturb", region=region, point=point, **effect)


def calm(region: str, point: str) -> None:
    """Let requests pass ``point`` again; ``all`` stands for every point."""
    _ask("calm", region=region, point=point)


def kill_region(region: str) -> None:
    """Kill a region's process as ``kill -9`` does."""
    _ask("kill_region", region=region)


def start_region(region: str) -> None:
    """Start a region that is dead and send its viewers back to it."""
    _ask("start_region", region=region)


def pause_region(region: str) -> None:
    """Stop a region's process where it stands."""
    _ask("pause_region", region=region)


def resume_region(region: str) -> None:
    """Let a paused region go on."""
    _ask("resume_region", region=region)


def evacuate_region(region: str) -> None:
    """Scale up the other regions and send the viewers there."""
    _ask("evacuate_region", region=region)


def return_region(region: str) -> None:
    """Send the viewers home and shrink the other regions."""
    _ask("return_region", region=region)


def crash_instance(region: str, service: str) -> None:
    """Crash the oldest instance of a service."""
    _ask("crash_instance", region=region, service=service)


def kill_part(name: str, stay: bool = False) -> None:
    """Kill a foreign part, or what stands in for it where it is not installed.

    Args:
        name: Such as ``broker``, ``cache-us-east-1a``, ``encoder``.
        stay: It stays dead until it is started; otherwise it comes back by itself.
    """
    _ask("kill_part", name=name, stay=stay)


def start_part(name: str) -> None:
    """Start a foreign part that was killed; it comes back empty."""
    _ask("start_part", name=name)


def start_instance(region: str, service: str, version: str = "1.0.0") -> None:
    """Start one more instance of a service."""
    _ask("start_instance", region=region, service=service, version=version)


def scale(region: str, service: str, instances: int) -> None:
    """Start or stop instances until there are so many."""
    _ask("scale", region=region, service=service, instances=instances)


def deploy(region: str, service: str, version: str) -> None:
    """Replace all instances of a service, red/black."""
    _ask("deploy", region=region, service=service, version=version)


def canary(region: str, service: str, version: str) -> None:
    """Try a new version on one instance; it is promoted or rolled back by what it does."""
    _ask("canary", region=region, service=service, version=version)


def front_door(region: str, **change: Any) -> None:
    """Change the load balancers: ``scale`` (a factor) or ``zones`` (such as ``abc``)."""
    _ask("front_door", region=region, **change)


def configure(region: str, service: str, revision: str) -> None:
    """Push a configuration to every instance of a service."""
    _ask("configure", region=region, service=service, revision=revision)


def sever_log(region: str, severed: bool) -> None:
    """Cut a region off from the event log, or let it reach it again."""
    _ask("sever_log", region=region, severed=severed)


def freeze_registry(region: str, frozen: bool) -> None:
    """Let what callers know of the registry grow stale, or fresh again."""
    _ask("freeze_registry", region=region, frozen=frozen)


def burn(region: str, threads: int) -> None:
    """Starve a region of processor time with this many threads."""
    _ask("burn", region=region, threads=threads)


def poison(region: str, count: int) -> None:
    """Write events that nobody can read."""
    _ask("poison", region=region, count=count)


def expect(region: str, title: str, per_s: float) -> None:
    """Announce a launch to the edges, which fetch ahead what it will be asked for."""
    _ask("expect", region=region, title=title, per_s=per_s)


def empty_caches(region: str) -> None:
    """Empty every cache of a region."""
    _ask("empty_caches", region=region)


def damage_copies(region: str, copies: int) -> None:
    """Damage so many copies of every stored rendition."""
    _ask("damage_copies", region=region, copies=copies)


def restore(region: str) -> None:
    """Restore the stored renditions."""
    _ask("restore", region=region)


def replica(region: str, zone: str, up: bool = True, lag_s: float | None = None) -> None:
    """Take the replica of the viewing history in a zone down, or bring it back.

    Args:
        region: Where.
        zone: Whose.
        up: Whether it answers.
        lag_s: Instead: it answers, but learns what is written so many seconds late.
    """
    _ask("replica", region=region, zone=zone, up=up, lag_s=lag_s)


def rotate_keys(region: str) -> None:
    """Sign tokens with a new key, in this region first."""
    _ask("rotate_keys", region=region)


def skew_clock(region: str, seconds: float) -> None:
    """Let the clock of auth be wrong by so many seconds."""
    _ask("skew_clock", region=region, seconds=seconds)


def fit(
    region: str,
    accounts: Mapping[str, str] | None = None,
    shares: Mapping[str, float] | None = None,
) -> None:
    """Put accounts under failure tests (FIT), by account or by share; without either nobody is.

    Args:
        region: Where.
        accounts: The test's scope by account.
        shares: Share of all accounts, 0 to 1, by the test's scope.
    """
    _ask("fit", region=region, accounts=accounts or {}, shares=shares or {})


def mute(region: str, metrics: list[str]) -> None:
    """Lose metrics of these names; an empty list loses none."""
    _ask("mute", region=region, metrics=metrics)


def mute_viewers(metrics: list[str]) -> None:
    """Lose metrics of the viewers; an empty list loses none."""
    _ask("mute_viewers", metrics=metrics)


def demand(region: str, factor: float) -> None:
    """Multiply the arrivals of viewers."""
    _ask("demand", region=region, factor=factor)


def is_up(region: str) -> bool:
    """Probe: the region's process is alive."""
    status = httpx2.get(f"{_control()}/status", trust_env=False).raise_for_status().json()
    return bool(status["regions"][region]["state"] == "up")


def _ask(action: str, **arguments: Any) -> None:
    response = httpx2.post(f"{_control()}/actions/{action}", json=arguments, trust_env=False)
    response.raise_for_status()


def _control() -> str:
    return os.environ["DEMO_STACK_CONTROL"].rstrip("/")
