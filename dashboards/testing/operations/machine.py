"""A made-up server: how near its bounds it is, and what it was set to."""

from __future__ import annotations

from dashboards.testing.synthetic import JsonObject, World

_GIB = 1 << 30


def cluster(world: World) -> JsonObject:
    """Return a pair, one of whose nodes was away for a while; one process if there is nothing."""
    if world.empty:
        lead = {"holder": "", "token": 0, "since_ms": None, "mine": True, "speaks": True}
        database = {"reachable": True, "failing_s": None, "reason": ""}
        told = {"shape": "one", "node": "", "wrong": [], "database": database, "lead": lead}
        return told | {"nodes": [], "copies": None}
    nodes = [
        {
            "name": name,
            "url": f"http://{name}:7101",
            "version": "1.0",
            "state": "active",
            "alive": True,
            "me": name == "tocsin-a",
            "leads": name == "tocsin-a",
            "joined_ms": 1_700_000_000_000,
            "heard_ago_s": 0.4,
        }
        for name in ("tocsin-a", "tocsin-b")
    ]
    lead = {"holder": "tocsin-a", "token": 7, "since_ms": 1_700_000_000_000}
    copies = {"kept": 1, "of": 2, "why": "tocsin-b: no answer within 2 s", "owed": 1_200}
    copies |= {"owed_bytes": 3_000_000, "evicted": 0, "sent": 90_000, "refused": 0, "lost": 0}
    return {
        "shape": "pair",
        "node": "tocsin-a",
        "wrong": ["copies: 1 of 2: tocsin-b: no answer within 2 s; it is owed 1200 requests"],
        "database": {"reachable": True, "failing_s": None, "reason": ""},
        "lead": lead | {"mine": True, "speaks": True},
        "nodes": nodes,
        "copies": copies,
    }


def capacity(world: World) -> JsonObject:
    """Return bounds of which one is near, the costs of rules, the disk."""
    series = 0 if world.empty else 1_912_000
    bounds = [
        _bound("series", "Series held", series, 2_000_000, "series", "new series are refused"),
        _bound("spans", "Spans in memory", 500_000, 500_000, "spans", "the oldest go", fills=True),
        _bound("disk", "Disk", 40 * _GIB, 100 * _GIB, "bytes", "nothing more is acknowledged"),
    ]
    rules = [("slos", "playback-availability", 0.0031), ("detectors", "sps", 0.0012)]
    dearest = [
        {
            "kind": kind,
            "name": name,
            "spent_s": a_step_s * 500,
            "steps": 500,
            "series": 24,
            "a_step_s": a_step_s,
        }
        for kind, name, a_step_s in ([] if world.empty else rules)
    ]
    return {
        "now_ms": world.now_ms,
        "step_ms": 5_000,
        "bounds": bounds,
        "disk": {
            "looked_ms": world.now_ms,
            "parts": {"history": 31 * _GIB, "metrics": 3 * _GIB, "logs": _GIB},
            "whole": True,
            "total": 100 * _GIB,
            "free": 60 * _GIB,
        },
        "process": {"memory_bytes": 3 * _GIB, "cpu_s": 5_400.0, "cores": 8, "threads": 41},
        "rules": {
            "count": len(dearest),
            "a_step_s": sum(float(str(one["a_step_s"])) for one in dearest),
            "dearest": dearest,
        },
        "accepted": {
            "window_ms": 3_600_000,
            "by_receiver": {} if world.empty else {"otlp.metrics": 3_600_000, "spectator": 7_200},
        },
    }


def _bound(
    name: str, title: str, used: float, most: float, unit: str, then: str, *, fills: bool = False
) -> JsonObject:
    query = "name,tocsin.store.series,:eq,:max" if name == "series" else ""
    return {
        "name": name,
        "title": title,
        "used": used,
        "most": most,
        "unit": unit,
        "then": then,
        "fills": fills,
        "query": query,
    }


def forecast(world: World, query: str) -> JsonObject:
    """Return that the limit is reached in some days."""
    day_ms = 86_400_000
    line = {
        "tags": {"name": "tocsin.store.series"},
        "forecast": None,
        "why_not": "",
        "exhaustion": {
            "limit": 2_000_000.0,
            "reached": False,
            "likeliest_ms": world.now_ms + 4 * day_ms,
            "earliest_ms": world.now_ms + 3 * day_ms,
            "latest_ms": None,
        },
        "instances": None,
    }
    lines = [] if world.empty else [line]
    return {"query": query, "step_ms": 3_600_000, "past_ms": [], "times_ms": [], "lines": lines}


def settings() -> list[JsonObject]:
    """Return one setting of each origin."""
    rows = [
        ("api_port", "7101", "command line", "--api-port"),
        ("api_token", "(hidden)", "environment", "TOCSIN_API_TOKEN"),
        ("step", "5s", "file", "tocsin.toml"),
        ("history", "embedded", "default", ""),
    ]
    return [
        {
            "name": name,
            "variable": f"TOCSIN_{name.upper()}",
            "value": value,
            "default": value,
            "source": source,
            "place": place,
            "description": "Synthetic setting.",
        }
        for name, value, source, place in rows
    ]
