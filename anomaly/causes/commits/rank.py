"""Commits ranked by whether they can have made what is seen, and whether any of them did.

A commit scores by what in it is risky and fits the trouble, by the words that it shares with what
is said, and by having been brought to a service in trouble. Without a risk that fits, nearness and
words alone accuse nobody; and where the outside is to blame, it takes more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import log

from anomaly.causes.commits.diff import FileDiff, read_diff
from anomaly.causes.commits.risk import Risk, risks_of
from anomaly.causes.commits.symptom import Trouble, fit

_RISK, _WORDS, _RARE = 2.0, 1.0, 1.0
_SAME_SERVICE, _NAMED_SERVICE, _OTHER_SERVICE, _DEPLOYED = 1.0, 0.7, -0.5, 0.5
_ENOUGH, _ENOUGH_OUTSIDE, _MIN_FIT = 2.5, 4.0, 0.4
_BM25_K, _BM25_B = 1.2, 0.75
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]{2,}|\d{3,}")
_NAME = re.compile(r"[A-Za-z_][\w-]{7,}")
_GENERIC = re.compile(r"[-_]?(?:service|server|svc|api|backend|worker)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit that came before the onset.

    Attributes:
        id: Its name.
        message: What it says that it does.
        paths: Files that it touches.
        diff: What it does; "" when not known.
        deployed_to: Services that it was brought to before the onset.
    """

    id: str
    message: str
    paths: tuple[str, ...]
    diff: str
    deployed_to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is known of an incident.

    Attributes:
        service: Where it begins.
        affected: Services that speak of trouble.
        messages: What is said of it.
        troubles: What sort of trouble that is.
        outside: Why the outside may be to blame; empty when nothing says so.
    """

    service: str
    affected: Collection[str]
    messages: Sequence[str]
    troubles: Collection[Trouble]
    outside: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accused:
    """A commit with what speaks for it.

    Attributes:
        commit: Which.
        score: What commits are ranked by.
        risk: Kind of change that fits best; None for none.
        fits: How much of that, 0 to 1.
        words: Share of the words that it has in common with what is said, 0 to 1.
        named: Names that occur both in its change and in what is said, and in no other commit.
    """

    commit: Commit
    score: float
    risk: Risk | None
    fits: float
    words: float
    named: tuple[str, ...]


def ranked(commits: Sequence[Commit], incident: Incident) -> tuple[Accused, ...]:
    """Return the commits that change code, the most suspicious first; ties by name."""
    files = {commit.id: read_diff(commit.diff) for commit in commits}
    eligible = [one for one in commits if any(f.removed or f.added for f in files[one.id])]
    words = _bm25([_text(one, files[one.id]) for one in eligible], " ".join(incident.messages))
    rare = _rare_names(eligible, files, " ".join(incident.messages))
    found = [
        _accused(one, risks_of(files[one.id]), share, rare[one.id], incident)
        for one, share in zip(eligible, words, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.score, one.commit.id)))


def culprit(found: Sequence[Accused], incident: Incident) -> Commit | None:
    """Return the commit that did it; None when none is suspicious enough."""
    enough = _ENOUGH_OUTSIDE if incident.outside else _ENOUGH
    fitting = [one for one in found if one.fits >= _MIN_FIT]
    return fitting[0].commit if fitting and fitting[0].score >= enough else None


def _accused(
    commit: Commit,
    risks: Mapping[Risk, float],
    words: float,
    named: tuple[str, ...],
    incident: Incident,
) -> Accused:
    fits, risk = fit(risks, incident.troubles)
    score = _RISK * fits + _WORDS * words + _place(commit, incident)
    score += _RARE * bool(named) * bool(risk) + _DEPLOYED * bool(commit.deployed_to)
    return Accused(commit=commit, score=score, risk=risk, fits=fits, words=words, named=named)


def _place(commit: Commit, incident: Incident) -> float:
    if incident.service in commit.deployed_to:
        return _SAME_SERVICE
    stem = _GENERIC.sub("", incident.service).lower()
    where = " ".join([commit.message, *commit.paths]).lower()
    if set(commit.deployed_to) & set(incident.affected) or (stem and stem in where):
        return _NAMED_SERVICE
    return _OTHER_SERVICE if commit.deployed_to else 0.0


def _text(commit: Commit, files: Sequence[FileDiff]) -> str:
    lines = [line for file in files for line in (*file.removed, *file.added)]
    return " ".join([commit.message, *commit.paths, *lines])


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _bm25(texts: Sequence[str], query: str) -> list[float]:
    """Return how well each text answers ``query``, as a part of the best."""
    counts = [Counter(_words(text)) for text in texts]
    mean = sum(map(Counter.total, counts)) / max(1, len(counts))
    scores = [0.0] * len(counts)
    for word in sorted(set(_words(query))):
        having = sum(word in one for one in counts)
        weight = log(1 + (len(counts) - having + 0.5) / (having + 0.5))
        for at, one in enumerate(counts):
            much = one[word]
            length = 1 - _BM25_B + _BM25_B * one.total() / max(1.0, mean)
            scores[at] += weight * much * (_BM25_K + 1) / (much + _BM25_K * length)
    best = max(scores, default=0.0)
    return [score / best if best > 0 else 0.0 for score in scores]


def _rare_names(
    commits: Sequence[Commit], files: Mapping[str, Sequence[FileDiff]], said: str
) -> dict[str, tuple[str, ...]]:
    names = {
        one.id: {
            name
            for file in files[one.id]
            for line in (*file.removed, *file.added)
            for name in _NAME.findall(line)
        }
        for one in commits
    }
    seen = Counter(name for found in names.values() for name in found)
    spoken = set(_NAME.findall(said))
    return {
        id_: tuple(sorted(name for name in found & spoken if seen[name] == 1))
        for id_, found in names.items()
    }
