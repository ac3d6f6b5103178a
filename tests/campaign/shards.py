"""``scripts/campaign shards``: rounds of kill -9 among three nodes, while a writer remembers."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.runbooks.databases import PostgresServer
from tests.tocsin.cluster.shards_in_processes import NAMES, Writer, nodes_in


def play(rounds: int, seed: int, directory: Path) -> str:
    """Return how it went.

    Raises:
        AssertionError: Something acknowledged is lost, or an answer differs from a single store's.
    """
    chance, began_s = random.Random(seed), time.monotonic()
    with (
        PostgresServer() as server,
        nodes_in(directory, database_url=server.empty_database()) as nodes,
    ):
        writer = Writer(nodes, directory / "single", seed)
        for _ in range(rounds):
            victim = chance.choice(NAMES)
            for _ in range(chance.randrange(3, 12)):
                writer.write()
            nodes.kill(victim)
            for _ in range(chance.randrange(3, 12)):
                writer.write()
            writer.compare(chance.choice([name for name in NAMES if name != victim]))
            nodes.start(victim)
            for _ in range(chance.randrange(3, 12)):
                writer.write()
            nodes.settled(timeout_s=60)
            writer.compare(victim)
        for name in NAMES:
            writer.compare(name)
        thin = sum(nodes.health(name)["samples_with_one_copy"] for name in NAMES)
        writer.close()
    return (
        f"{rounds} kills, {writer.acknowledged} samples acknowledged, {writer.repeated} requests "
        f"repeated, {thin} samples in one copy, in {time.monotonic() - began_s:.0f} s: nothing "
        "lost, every answer that of a single store"
    )


def main(arguments: list[str]) -> int:
    """Return 0 if nothing was lost."""
    parser = argparse.ArgumentParser(prog="scripts/campaign shards", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="campaign-") as directory:
        sys.stdout.write(play(chosen.rounds, chosen.seed, Path(directory)) + "\n")
    return 0
