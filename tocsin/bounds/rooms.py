"""Every fixed bound by the room that it holds in, and why the room has bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tocsin.bounds.access import ACCESS
from tocsin.bounds.bound import Bound
from tocsin.bounds.incidents import INCIDENTS
from tocsin.bounds.judging import JUDGING
from tocsin.bounds.logs import LOGS
from tocsin.bounds.notifiers import NOTIFIERS
from tocsin.bounds.pair import PAIR
from tocsin.bounds.promql import PROMQL
from tocsin.bounds.queries import QUERIES
from tocsin.bounds.receivers import RECEIVERS
from tocsin.bounds.saving import SAVING
from tocsin.bounds.traces import TRACES

FIXED: Final[Mapping[str, tuple[Bound, ...]]] = {
    "Queries and answers": (*QUERIES, *PROMQL, *TRACES),
    "Receivers": RECEIVERS,
    "Log records": LOGS,
    "Judging": JUDGING,
    "Access": (*ACCESS, *SAVING),
    "Incidents and pages": (*INCIDENTS, *NOTIFIERS),
    "Nodes of a cluster": (*PAIR,),
}

WHY: Final[Mapping[str, str]] = {
    "Queries and answers": "A query is a program that a stranger writes; what it may cost is decided before it is paid.",
    "Receivers": "A sender that is broken or hostile must not cost the others their data: it alone is refused, and told why.",
    "Log records": "One program that writes a million lines must cost its own lines, and nobody else's.",
    "Judging": "A rule over a tag with a million values must not cost the other rules their second.",
    "Access": "Who may ask is decided before a request is read.",
    "Incidents and pages": "What people are told stays readable, and a way that fails must not hold up the others.",
    "Nodes of a cluster": "A node that is away must cost the other a file of known size, and not the senders their answers.",
}  # fmt: skip
