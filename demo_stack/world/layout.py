"""The names of things: regions, services, devices."""

from __future__ import annotations

from enum import StrEnum


class Region(StrEnum):
    """A cloud region; the value is what ``cloud.region`` says."""

    US_EAST_1 = "us-east-1"
    US_WEST_2 = "us-west-2"
    EU_WEST_1 = "eu-west-1"


class Service(StrEnum):
    """A service; the value is what ``service.name`` says."""

    GATEWAY = "gateway"
    AUTH = "auth"
    CATALOGUE = "catalogue"
    RECOMMENDATIONS = "recommendations"
    PLAYBACK = "playback"
    LICENCES = "licences"
    BILLING = "billing"
    EDGE = "edge"
    VIEWERS = "viewers"
    ENCODER = "encoder"


class Device(StrEnum):
    """What a viewer watches on."""

    TV = "tv"
    PHONE = "phone"
    WEB = "web"
    CONSOLE = "console"


DAY_S = 1_440.0
"""Length of a day, in seconds: an hour a minute, unless it is told otherwise."""

QUICK_REGIONS = (Region.US_EAST_1, Region.EU_WEST_1)
"""The two regions that the quick demo starts."""

GLOBAL_SERVICES = frozenset({Service.VIEWERS, Service.ENCODER})
"""What runs once, outside every region."""

REGIONAL_SERVICES = tuple(service for service in Service if service not in GLOBAL_SERVICES)
"""The services that every region runs."""

ZONES = ("a", "b", "c")
"""Suffixes of the availability zones of a region."""
