"""Block Kit validation: what Slack would answer to a list of blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from demo_stack.slack.limits import SlackLimits

Json = Mapping[str, object]
Complaint = str
Check = Callable[[Json, str, SlackLimits], Iterator[Complaint]]


def complaints_about(blocks: object, limits: SlackLimits) -> list[Complaint]:
    """Return what is wrong with ``blocks`` in Slack's wording, with JSON pointers."""
    if not isinstance(blocks, list):
        return ["[ERROR] must be an array [json-pointer:/blocks]"]
    if len(blocks) > limits.blocks:
        return [f"[ERROR] no more than {limits.blocks} items allowed [json-pointer:/blocks]"]
    found: list[Complaint] = []
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        found.extend(_block(block, f"/blocks/{index}", seen, limits))
    return found


def _block(block: object, at: str, seen: set[str], limits: SlackLimits) -> Iterator[Complaint]:
    if not isinstance(block, dict):
        yield _error("must be an object", at)
        return
    kind = block.get("type")
    check = _BLOCKS.get(str(kind))
    if check is None:
        yield _error(f"unsupported type: {kind}", f"{at}/type")
        return
    identifier = block.get("block_id")
    if identifier is not None:
        yield from _length(identifier, limits.identifier, f"{at}/block_id")
        if str(identifier) in seen:
            yield _error(f"block_id already exists: {identifier}", f"{at}/block_id")
        seen.add(str(identifier))
    yield from check(block, at, limits)


def _header(block: Json, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    yield from _text(block.get("text"), f"{at}/text", limits.header_text, ("plain_text",))


def _section(block: Json, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    text, fields = block.get("text"), block.get("fields")
    if text is None and fields is None:
        yield _error("must have text or fields", at)
    if text is not None:
        yield from _text(text, f"{at}/text", limits.section_text)
    if fields is not None:
        yield from _items(fields, f"{at}/fields", limits.section_fields)
        for index, field in enumerate(_listed(fields)):
            yield from _text(field, f"{at}/fields/{index}", limits.field_text)
    if block.get("accessory") is not None:
        yield from _element(block["accessory"], f"{at}/accessory", limits)


def _context(block: Json, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    elements = block.get("elements")
    yield from _items(elements, f"{at}/elements", limits.context_elements)
    for index, element in enumerate(_listed(elements)):
        where = f"{at}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "image":
            yield from _image(element, where, limits)
        else:
            yield from _text(element, where, limits.section_text)


def _actions(block: Json, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    elements = block.get("elements")
    yield from _items(elements, f"{at}/elements", limits.actions_elements)
    seen: set[str] = set()
    for index, element in enumerate(_listed(elements)):
        where = f"{at}/elements/{index}"
        yield from _element(element, where, limits)
        action = str(element.get("action_id", "")) if isinstance(element, dict) else ""
        if action and action in seen:
            yield _error(f"`action_id`: {action} already exists", f"{where}/action_id")
        seen.add(action)


def _divider(_block: Json, _at: str, _limits: SlackLimits) -> Iterator[Complaint]:
    yield from ()


def _image(block: Json, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    yield from _length(block.get("image_url"), limits.image_url, f"{at}/image_url")
    yield from _length(block.get("alt_text"), limits.alt_text, f"{at}/alt_text")


def _element(element: object, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    if not isinstance(element, dict):
        yield _error("must be an object", at)
        return
    if element.get("action_id") is not None:
        yield from _length(element["action_id"], limits.identifier, f"{at}/action_id")
    if element.get("confirm") is not None:
        yield from _confirm(element["confirm"], f"{at}/confirm", limits)
    kind = element.get("type")
    if kind == "button":
        yield from _button(element, at, limits)
    elif kind in {"static_select", "overflow"}:
        yield from _options(element.get("options"), f"{at}/options", limits)
    else:
        yield _error(f"unsupported type: {kind}", f"{at}/type")


def _button(element: Json, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    yield from _text(element.get("text"), f"{at}/text", limits.button_text, ("plain_text",))
    if element.get("value") is not None:
        yield from _length(element["value"], limits.button_value, f"{at}/value")
    if element.get("url") is not None:
        yield from _length(element["url"], limits.url, f"{at}/url")
    if element.get("style") not in {None, "primary", "danger"}:
        yield _error(f"unsupported value: {element.get('style')}", f"{at}/style")


def _options(options: object, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    yield from _items(options, at, limits.options)
    for index, option in enumerate(_listed(options)):
        where = f"{at}/{index}"
        if not isinstance(option, dict):
            yield _error("must be an object", where)
            continue
        yield from _text(option.get("text"), f"{where}/text", limits.option_text, ("plain_text",))
        yield from _length(option.get("value"), limits.option_value, f"{where}/value")


def _confirm(confirm: object, at: str, limits: SlackLimits) -> Iterator[Complaint]:
    if not isinstance(confirm, dict):
        yield _error("must be an object", at)
        return
    yield from _text(confirm.get("title"), f"{at}/title", limits.confirm_title, ("plain_text",))
    yield from _text(confirm.get("text"), f"{at}/text", limits.confirm_text)
    for key in ("confirm", "deny"):
        yield from _text(confirm.get(key), f"{at}/{key}", limits.confirm_button, ("plain_text",))


def _text(
    text: object, at: str, longest: int, kinds: Sequence[str] = ("plain_text", "mrkdwn")
) -> Iterator[Complaint]:
    if not isinstance(text, dict):
        yield _error("must be an object", at)
        return
    if text.get("type") not in kinds:
        yield _error(f"unsupported type: {text.get('type')}", f"{at}/type")
    yield from _length(text.get("text"), longest, f"{at}/text")


def _length(value: object, longest: int, at: str) -> Iterator[Complaint]:
    if not isinstance(value, str):
        yield _error("must be a string", at)
    elif not value:
        yield _error("must be more than 0 characters", at)
    elif len(value) > longest:
        yield _error(f"must be less than {longest + 1} characters", at)


def _items(values: object, at: str, maximum: int) -> Iterator[Complaint]:
    if not isinstance(values, list) or not values:
        yield _error("must be a non-empty array", at)
    elif len(values) > maximum:
        yield _error(f"no more than {maximum} items allowed", at)


def _listed(values: object) -> list[object]:
    return values if isinstance(values, list) else []


def _error(what: str, at: str) -> Complaint:
    return f"[ERROR] {what} [json-pointer:{at}]"


_BLOCKS: Mapping[str, Check] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "divider": _divider,
    "image": _image,
}
