"""What the registry says, as Eureka's JSON and as its XML, and what it understands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from demo_stack.chassis.errors import PlatformError
from demo_stack.registry.leases import Instance

MAX_TEXT = 500
MAX_LEASE_S = 86_400
METADATA_KEYS = 32
DATA_CENTRE = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"

_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_CONTROL = re.compile(r"[^\x20-\ud7ff\ue000-\ufffd]")


class NotAnInstanceError(PlatformError):
    """A registration that can't be understood."""


def describe(instance: Instance, action: str = "ADDED") -> dict[str, Any]:
    """Return an instance as Eureka's JSON has it.

    Args:
        instance: Which.
        action: ``ADDED``, ``MODIFIED`` or ``DELETED``, as deltas say it.
    """
    parts = urlsplit(instance.url)
    return {
        "instanceId": instance.id,
        "hostName": parts.hostname or "",
        "app": instance.service.upper(),
        "ipAddr": parts.hostname or "",
        "status": instance.status,
        "overriddenstatus": "UNKNOWN",
        "port": {"$": parts.port or 80, "@enabled": "true"},
        "securePort": {"$": 443, "@enabled": "false"},
        "countryId": 1,
        "dataCenterInfo": {"@class": DATA_CENTRE, "name": "MyOwn"},
        "leaseInfo": {
            "renewalIntervalInSecs": instance.renewal_ms // 1_000,
            "durationInSecs": instance.duration_ms // 1_000,
        },
        "metadata": {"zone": instance.zone},
        "homePageUrl": instance.url,
        "vipAddress": instance.service,
        "secureVipAddress": instance.service,
        "actionType": action,
    }


def describe_all(described: Iterable[Mapping[str, Any]], version: int = 1) -> dict[str, Any]:
    """Return what :func:`describe` said of instances, by application, with their hash code."""
    instances = list(described)
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for one in instances:
        by_name.setdefault(one["app"], []).append(one)
    return {
        "versions__delta": str(version),
        "apps__hashcode": hash_code(one["status"] for one in instances),
        "application": [{"name": name, "instance": group} for name, group in by_name.items()],
    }


def hash_code(statuses: Iterable[str]) -> str:
    """Return Eureka's reconcile hash code: every status with its count, such as ``UP_3_``."""
    return "".join(f"{status}_{count}_" for status, count in sorted(Counter(statuses).items()))


def applications_xml(document: Mapping[str, Any]) -> bytes:
    """Return what :func:`describe_all` said as XML."""
    root = Element("applications")
    for name in ("versions__delta", "apps__hashcode"):
        SubElement(root, name).text = _text(document[name])
    for application in document["application"]:
        _add_application(root, application)
    encoded: bytes = tostring(root, encoding="utf-8")
    return encoded


def application_xml(application: Mapping[str, Any]) -> bytes:
    """Return one application as XML."""
    holder = Element("applications")
    encoded: bytes = tostring(_add_application(holder, application), encoding="utf-8")
    return encoded


def instance_xml(described: Mapping[str, Any]) -> bytes:
    """Return one instance as XML."""
    holder = Element("application")
    encoded: bytes = tostring(_add_instance(holder, described), encoding="utf-8")
    return encoded


def understand(service: str, body: Any) -> Instance:
    """Return the instance that a registration in Eureka's JSON is about.

    Raises:
        NotAnInstanceError: Something needed is missing, or not what it should be.
    """
    try:
        told = body["instance"]
        port = told.get("port", 80)
        number = int(port["$"] if isinstance(port, dict) else port)
        host = _short(told.get("ipAddr") or told["hostName"])
        lease = told.get("leaseInfo") or {}
        return Instance(
            service=_short(service),
            id=_short(told.get("instanceId") or told["hostName"]),
            url=_short(told.get("homePageUrl") or f"http://{host}:{number}").rstrip("/"),
            zone=_short((told.get("metadata") or {}).get("zone", "")),
            status=_short(told.get("status", "UP")),
            renewal_ms=_milliseconds(lease.get("renewalIntervalInSecs", 0)),
            duration_ms=_milliseconds(lease.get("durationInSecs", 0)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NotAnInstanceError(f"not an instance: {error!r}") from error


def _short(text: Any) -> str:
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise TypeError(f"a text of at most {MAX_TEXT} characters is needed, not {text!r:.60}")
    return text


def _milliseconds(seconds: Any) -> int:
    return min(max(0, int(seconds)), MAX_LEASE_S) * 1_000


def _add_application(parent: Element, application: Mapping[str, Any]) -> Element:
    node = SubElement(parent, "application")
    SubElement(node, "name").text = _text(application["name"])
    for instance in application["instance"]:
        _add_instance(node, instance)
    return node


def _add_instance(parent: Element, described: Mapping[str, Any]) -> Element:
    node = SubElement(parent, "instance")
    for name, value in described.items():
        _add(node, name, value)
    return node


def _add(parent: Element, name: str, value: Any) -> None:
    """Add a value; in Eureka's JSON ``@x`` is an attribute and ``$`` the text of an element."""
    if not _TAG.fullmatch(name):
        return
    node = SubElement(parent, name)
    if not isinstance(value, dict):
        node.text = _text(value)
        return
    for key, inner in list(value.items())[:METADATA_KEYS]:
        if key.startswith("@"):
            node.set(key[1:], _text(inner))
        elif key == "$":
            node.text = _text(inner)
        else:
            _add(node, key, inner)


def _text(value: Any) -> str:
    return _CONTROL.sub("", str(value))
