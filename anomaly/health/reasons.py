"""Why a service has its colour, in sentences that a person reads first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from math import isfinite
from typing import Any

from anomaly.evidence.phrases import narrowed
from anomaly.health.sight import Sight
from anomaly.health.signals import MIN_REQUESTS
from tocsin.client.wording import duration, number, percent


class Colour(IntEnum):
    """Of a service's health; what is not known is no worse than green, and never green."""

    GREY = 0
    GREEN = 1
    YELLOW = 2
    RED = 3


class Topic(IntEnum):
    """What a reason is about, the weightiest first."""

    ERRORS = 0
    TRAFFIC = 1
    REGION = 2
    DURATION = 3
    OPERATION = 4
    SATURATION = 5
    CALLEE = 6
    MOVED = 7
    WELL = 8
    LEARNING = 9
    FEW_REQUESTS = 10
    SILENT = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason.

    Attributes:
        topic: What it is about.
        colour: How bad it is by itself.
        text: A sentence, without its full stop.
        hops: How many calls away it is: 0 for the service itself.
        symptom: What kind of trouble it is: errors, duration or its topic.
        told_by: Who told it.
        value: What is seen; None where there is no number.
        usual: What is usual.
        unit: Of both.
        expression: Gives the value again; empty where there is none.
    """

    topic: Topic
    colour: Colour
    text: str
    hops: int = 0
    symptom: Topic | None = None
    told_by: str = ""
    value: float | None = None
    usual: float | None = None
    unit: str = ""
    expression: str = ""


def errors(one: Sight, colour: Colour) -> Reason:
    """It fails more than usual."""
    return Reason(
        topic=Topic.ERRORS,
        colour=colour,
        symptom=Topic.ERRORS,
        text=f"{_failing(one)} of its requests fail; {_usually(one)}",
        **_figures(one, "errors"),
    )


def fails_often(one: Sight) -> Reason:
    """It fails most requests, and has never done otherwise as far as is known."""
    text = (
        f"{_failing(one)} of its requests fail, and that is not new: as long as it is known, it "
        "has been so"
    )
    return Reason(
        topic=Topic.ERRORS,
        colour=Colour.YELLOW,
        symptom=Topic.ERRORS,
        text=text,
        **_figures(one, "errors"),
    )


def slow(one: Sight, colour: Colour) -> Reason:
    """It takes longer than usual."""
    return Reason(
        topic=Topic.DURATION,
        colour=colour,
        symptom=Topic.DURATION,
        text=f"its requests take {_taking(one)}",
        **_figures(one, "duration"),
    )


def part_fails(one: Sight, topic: Topic, colour: Colour) -> Reason:
    """One of its regions or operations fails."""
    part = one.names[-1]
    where = (
        f"in {part} {_failing(one)} of its requests"
        if topic is Topic.REGION
        else (f"{_failing(one)} of {part}")
    )
    return Reason(
        topic=topic,
        colour=colour,
        symptom=Topic.ERRORS,
        text=f"{where} fail; {_usually(one)}",
        **_figures(one, "errors"),
    )


def part_slow(one: Sight, topic: Topic, colour: Colour) -> Reason:
    """One of its regions or operations is slow."""
    part = one.names[-1]
    where = f"in {part} its requests take" if topic is Topic.REGION else f"{part} takes"
    return Reason(
        topic=topic,
        colour=colour,
        symptom=Topic.DURATION,
        text=f"{where} {_taking(one)}",
        **_figures(one, "duration"),
    )


def lost(one: Sight, colour: Colour) -> Reason:
    """It gets fewer requests."""
    text = (
        f"it gets {number(one.traffic.value)} requests a second where "
        f"{number(one.traffic.usual)} are usual"
    )
    figures = _figures(one, "traffic")
    return Reason(topic=Topic.TRAFFIC, colour=colour, text=text, **figures)


def lost_in(one: Sight, colour: Colour) -> Reason:
    """One region gets fewer requests and no other takes them over."""
    text = (
        f"in {one.names[-1]} it gets {number(one.traffic.value)} requests a second where "
        f"{number(one.traffic.usual)} are usual, and no other region took them over"
    )
    figures = _figures(one, "traffic")
    return Reason(topic=Topic.TRAFFIC, colour=colour, text=text, **figures)


def moved(left: Sequence[Sight], taken: Sequence[Sight]) -> Reason:
    """Other regions took over: an evacuation, no loss."""
    text = (
        f"its traffic moved from {_and(one.names[-1] for one in left)} to "
        f"{_and(one.names[-1] for one in taken)}; all in all it gets what is usual"
    )
    return Reason(topic=Topic.MOVED, colour=Colour.GREEN, text=text, told_by=left[0].told_by)


def asked_less(one: Reason) -> Reason:
    """It gets fewer requests because those who call it are unwell."""
    text = f"{one.text}; those who call it are unwell themselves, so it is not to blame"
    return replace(one, colour=min(one.colour, Colour.YELLOW), text=text)


def full(fullness: float) -> Reason:
    """Its fullest instance is fuller than usual."""
    return Reason(
        topic=Topic.SATURATION,
        colour=Colour.YELLOW,
        text=f"its fullest instance is at {percent(fullness)}, more than is usual",
        told_by="metrics",
        value=fullness,
        unit="ratio",
    )


def callee(name: str, theirs: Sequence[Reason], hops: int) -> Reason:
    """Somebody below it is to blame."""
    worst = max(theirs, key=lambda one: (one.colour, -one.topic))
    who = f"{name}, which it calls," if hops == 1 else f"{name}, {hops} calls below it,"
    return Reason(
        topic=Topic.CALLEE,
        colour=Colour.YELLOW,
        hops=hops,
        symptom=worst.symptom,
        text=f"{who} is unwell: {worst.text}",
        told_by=worst.told_by,
    )


def well(one: Sight) -> Reason:
    """Nothing is unusual."""
    parts = [f"{number(one.traffic.value)} requests a second"]
    if isfinite(one.errors.value):
        parts.append(f"{percent(one.errors.value)} fail")
    if isfinite(one.duration.value):
        parts.append(f"{duration(one.duration.value)} on average")
    return Reason(
        topic=Topic.WELL,
        colour=Colour.GREEN,
        text=f"as usual: {', '.join(parts)}",
        told_by=one.told_by,
    )


def learning(one: Sight) -> Reason:
    """It is not known for long enough."""
    steps, needed = min(one.seen, one.pace.learn), one.pace.learn
    text = f"learning what is usual for it: {steps} of {needed} steps so far"
    return Reason(topic=Topic.LEARNING, colour=Colour.GREY, text=text, told_by=one.told_by)


def few(one: Sight) -> Reason:
    """It gets too few requests to be judged."""
    window = duration(one.pace.long * one.pace.step_s)
    text = (
        f"too few requests to judge: {number(one.pooled)} in the last {window}, and it takes "
        f"{MIN_REQUESTS}"
    )
    return Reason(topic=Topic.FEW_REQUESTS, colour=Colour.GREY, text=text, told_by=one.told_by)


def silent(one: Sight) -> Reason:
    """Nothing is heard of it: nobody knows how it is."""
    since = duration(one.silent * one.pace.step_s)
    text = f"nothing was heard of it for {since}: whether it is well is not known"
    return Reason(topic=Topic.SILENT, colour=Colour.GREY, text=text, told_by=one.told_by)


def _failing(one: Sight) -> str:
    return percent(one.errors.value)


def _usually(one: Sight) -> str:
    return (
        "hardly any is usual"
        if one.errors.usual < 0.0005
        else f"{percent(one.errors.usual)} is usual"
    )


def _taking(one: Sight) -> str:
    took, usual = duration(one.duration.value), duration(one.duration.usual)
    return f"{took} on average; {usual} is usual"


def _and(names: Iterable[str]) -> str:
    *others, last = sorted(names)
    return f"{', '.join(others)} and {last}" if others else last


def _figures(one: Sight, signal: str) -> dict[str, Any]:
    found, source = getattr(one, signal), one.source
    unit = {"errors": "ratio", "duration": "s", "traffic": "1/s"}[signal]
    asked = {
        "errors": f"{source.failures},{source.requests},:div",
        "duration": f"{source.seconds},{source.requests},:div",
        "traffic": source.requests,
    }[signal]
    scope = dict(zip(source.keys, one.names, strict=True))
    return {
        "told_by": one.told_by,
        "value": found.value,
        "usual": found.usual,
        "unit": unit,
        "expression": narrowed(asked, scope),
    }
