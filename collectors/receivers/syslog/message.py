r"""One syslog message → one log record.

RFC 5424, section 6: ``<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG``.
"""

from __future__ import annotations

import re

from collectors.errors import DecodeError
from collectors.limits import Limits
from collectors.log_batch import LogColumns, LogOrigin, Severity, pack
from collectors.receivers.log_lines.line import UNKNOWN, read_time_ns

_HEADER = re.compile(
    r"<(?P<priority>\d{1,3})>1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<app>\S{1,48})"
    r" (?P<process>\S{1,128}) (?P<id>\S{1,32}) ?"
)
_ELEMENT = re.compile(
    r"\[(?P<id>[^\s=\]\"]{1,32})"
    r"(?P<parameters>(?: [^\s=\]\"]{1,32}=\"(?:\\.|[^\"\\])*+\")*+)\]"
)
_PARAMETER = re.compile(r' (?P<name>[^\s=\]"]{1,32})="(?P<value>(?:\\.|[^"\\])*+)"')
_ESCAPED = re.compile(r'\\(["\\\]])')
_NIL = "-"
_MOST = 191
# RFC 5424, table 2, to OpenTelemetry's numbers (logs data model, appendix B).
_SEVERITIES = (Severity.FATAL, 21, 21, Severity.ERROR, Severity.WARN, 10, Severity.INFO, 5)
_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def add_message(raw: bytes, columns: LogColumns, limits: Limits) -> str:
    """Add the record of one message; return whose it is.

    Raises:
        DecodeError: It is no message of RFC 5424.
    """
    text = raw.decode("utf-8", "replace").rstrip("\r\n\0")
    header = _HEADER.match(text)
    if header is None or int(header["priority"]) > _MOST:
        # The beginning alone: what is told of a refusal is not looked through for secrets.
        raise DecodeError(f"{text[:20]!r} is no syslog message of RFC 5424: <PRI>1 TIMESTAMP …")
    facility, severity = divmod(int(header["priority"]), 8)
    attributes, at = _structured(text, header.end())
    for name, key in (("process", "syslog.procid"), ("id", "syslog.msgid")):
        if header[name] != _NIL:
            attributes[key] = header[name]
    attributes["syslog.facility"] = str(facility)
    bounded = dict(list(attributes.items())[: limits.max_span_attributes])
    service = header["app"] if header["app"] != _NIL else UNKNOWN
    resource = {"service.name": service}
    if header["host"] != _NIL:
        resource["host.name"] = header["host"]
    columns.add(
        LogOrigin(service=service, resource=pack(resource)),
        0 if header["time"] == _NIL else read_time_ns(header["time"]),
        severity=int(_SEVERITIES[severity]),
        level=_LEVELS[severity],
        body=text[at:].lstrip(" ").removeprefix("\ufeff")[: limits.max_log_chars],
        attributes=pack(bounded),
    )
    return service


def _structured(text: str, at: int) -> tuple[dict[str, str], int]:
    """Return the parameters of structured data, named by their elements, and where it ends."""
    found: dict[str, str] = {}
    if text.startswith(_NIL, at):
        return found, at + 1
    while element := _ELEMENT.match(text, at):
        for parameter in _PARAMETER.finditer(element["parameters"]):
            key = f"{element['id']}.{parameter['name']}"
            found[key] = _ESCAPED.sub(r"\1", parameter["value"])
        at = element.end()
    return found, at
