"""``GET /api/v2/settings``: every setting in force, and where its value comes from."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from collectors.errors import ConfigError
from tocsin.settings import Settings, Source, load_settings, setting_rows, shown_value, source_of

PATH = "/api/v2/settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value comes from, and the option, variable or file that gave it."""

    source: Source
    place: str


def origins_of(settings: Settings) -> dict[str, Origin]:
    """Return where each value comes from, as long as environment and file are what they were.

    What differs from what they say was given on the command line.
    """
    try:
        elsewhere: Settings | None = load_settings()
    except ConfigError:
        elsewhere = None  # a required value stands on the command line alone
    found = {}
    for row in setting_rows():
        source, place = source_of(row.name)
        value = getattr(settings, row.name)
        if elsewhere is None or value != getattr(elsewhere, row.name):
            given = row.name in settings.model_fields_set
            source, place = (Source.COMMAND_LINE, row.option) if given else (source, place)
        found[row.name] = Origin(source=source, place=place)
    return found


def settings_route(settings: Settings) -> Route:
    """Return the route; what was found at the start stands, since that is in force."""
    origins = origins_of(settings)
    rows = [
        {
            "name": row.name,
            "variable": row.variable,
            "value": shown_value(settings, row.name),
            "default": row.default,
            "source": origins[row.name].source.value,
            "place": origins[row.name].place,
            "description": row.description,
        }
        for row in setting_rows()
    ]

    async def answer(request: Request) -> JSONResponse:
        del request
        return JSONResponse({"settings": rows})

    return Route(PATH, answer, methods=["GET"])
