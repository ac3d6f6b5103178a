"""A pair whose nodes are killed and stopped while one outage follows another.

At first PostgreSQL is away while something breaks: one node tells people of it, without a record.
Each round then has an outage of its own. Amid it a node is killed with -9, or stopped for longer
than a lease and let go on, the leader or the other by chance. Then people must have been told of it
once, somebody must lead within three steps, and both nodes must have all that was acknowledged.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

from tests.runbooks.databases import PostgresServer
from tests.tocsin.cluster.running import STEP_S, Node, Pair, eventually, running_pair

SETTLE_S = 90.0


@dataclass(slots=True, kw_only=True)
class Rounds:
    """What came of it."""

    rounds: int = 0
    kills: int = 0
    stops: int = 0
    acknowledged: int = 0
    taken_over_s: list[float] = field(default_factory=list)
    caught_up_s: list[float] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)


def play(rounds: int, seed: int, *, without_database: bool = True) -> Rounds:
    """Play so many rounds; every line of ``mistakes`` is one that must not happen.

    Args:
        rounds: How many.
        seed: Of chance.
        without_database: Whether to begin with an outage while PostgreSQL is away.
    """
    chance, outcome = random.Random(seed), Rounds()
    with (
        PostgresServer() as server,
        tempfile.TemporaryDirectory() as home,
        running_pair(server.empty_database(), Path(home), dict(os.environ)) as pair,
    ):
        if without_database:
            outcome.mistakes += _without_database(pair, server)
        pair.writer.pause_s = 0.1
        for number in range(1, rounds + 1):
            pair.writer.app = f"app{number}"
            for mistake in _round(pair, chance, outcome):
                outcome.mistakes.append(f"round {number}: {mistake}")
            outcome.rounds = number
        outcome.acknowledged = len(pair.writer.acknowledged)
    return outcome


def _without_database(pair: Pair, server: PostgresServer) -> Iterator[str]:
    """Have an outage while nodes can't agree: one of them tells people, without a record."""
    app = pair.writer.app = "nobase"
    with server.away():
        pair.writer.depth = 500.0
        try:
            eventually(lambda: any(app in page for page in pair.pages()), SETTLE_S)
        except AssertionError:
            yield f"nobody was told of {app} while PostgreSQL was away"
        _pass(6 * STEP_S)
        told = sum(f"{app} " in page for page in pair.pages())
        if told != 1:
            yield f"told {told} times of {app} while PostgreSQL was away"
        states = [node.get("/health") for node in (pair.a, pair.b)]
        if not all(state["cluster"]["database"]["reason"] for state in states):
            yield "a node does not say that PostgreSQL is away"
    try:
        eventually(pair.leader, SETTLE_S)
        eventually(lambda: pair.a.get("/api/v2/incidents")["incidents"], SETTLE_S)
    except AssertionError:
        yield f"nobody leads, or {app} has no record, after PostgreSQL is back"
    pair.writer.depth = 1.0
    _pass(2 * STEP_S)


def _round(pair: Pair, chance: random.Random, outcome: Rounds) -> Iterator[str]:
    writer = pair.writer
    leader = pair.leader()
    if leader is None:
        yield "nobody leads at the beginning"
        return
    victim = chance.choice([leader, leader, pair.other(leader)])
    writer.depth = 500.0
    _pass(chance.uniform(0.0, 3 * STEP_S))
    if chance.random() < 0.5:
        outcome.kills += 1
        victim.kill()
        yield from _led(pair, victim, outcome)
        _pass(chance.uniform(0.0, 2 * STEP_S))
        victim.begin()
        victim.wait()
    else:
        outcome.stops += 1
        process = psutil.Process(victim.process.pid if victim.process else 0)
        process.suspend()
        yield from _led(pair, victim, outcome)
        _pass(2 * STEP_S)
        process.resume()
    yield from _settled(pair, outcome)
    writer.depth = 1.0
    _pass(2 * STEP_S)


def _led(pair: Pair, victim: Node, outcome: Rounds) -> Iterator[str]:
    survivor = pair.other(victim)
    try:
        took_s = eventually(lambda: survivor.cluster()["lead"]["mine"], SETTLE_S)
    except AssertionError:
        yield f"{survivor.name} does not lead after {victim.name} is gone"
        return
    outcome.taken_over_s.append(round(took_s, 2))
    if took_s > 3 * STEP_S:
        yield f"{survivor.name} leads after {took_s:.1f} s, more than three steps"


def _settled(pair: Pair, outcome: Rounds) -> Iterator[str]:
    app, nodes = pair.writer.app, (pair.a, pair.b)

    def copied() -> bool:
        return all(node.cluster()["copies"]["kept"] == 2 for node in nodes)

    try:
        outcome.caught_up_s.append(round(eventually(copied, SETTLE_S), 2))
    except AssertionError:
        yield f"copies: {[node.cluster()['copies'] for node in nodes]}"
    try:
        eventually(lambda: any(app in page for page in pair.pages()), SETTLE_S)
    except AssertionError:
        yield f"nobody was told of {app}"
    _pass(3 * STEP_S)
    told = sum(f"{app} " in page for page in pair.pages())
    if told != 1:
        yield f"told {told} times of {app}"
    known = set(pair.writer.acknowledged)
    for node in nodes:
        try:
            eventually(lambda node=node: known <= node.written(), 20)  # type: ignore[misc]
        except AssertionError:
            yield f"{node.name} lacks {sorted(known - node.written())[:10]}"


def _pass(seconds: float) -> None:
    threading.Event().wait(seconds)


def main() -> int:
    """Return 0 if nothing was lost or doubled, and somebody led in time."""
    parser = argparse.ArgumentParser(prog="scripts/campaign", description=__doc__)
    parser.add_argument("campaign", choices=["pair"])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    outcome = play(chosen.rounds, chosen.seed)
    if chosen.json:
        sys.stdout.write(json.dumps(asdict(outcome)) + "\n")
        return 1 if outcome.mistakes else 0
    slowest = max(outcome.taken_over_s, default=0.0)
    told = (
        f"{outcome.rounds} rounds, {outcome.kills} kills, {outcome.stops} stops, "
        f"{outcome.acknowledged} writes acknowledged, led again after at most {slowest:g} s "
        f"in steps of {STEP_S:g} s"
    )
    right = "nothing lost, nobody rung twice, both nodes have all"
    sys.stdout.write("\n".join([told, *(outcome.mistakes or [right])]) + "\n")
    return 1 if outcome.mistakes else 0
