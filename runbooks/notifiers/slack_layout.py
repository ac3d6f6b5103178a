"""A card as Slack blocks, within Slack's limits. Pure.

slack-sdk checks most limits itself, but neither the 50 blocks nor the 2,000 characters of a field;
everything is trimmed here, with a marker where text was cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    SectionBlock,
)

from runbooks.incidents.states import Status
from runbooks.notifiers.card import Called, Card, Evidence
from tocsin.client.wording import trimmed

MAX_BLOCKS, MAX_HEADER, MAX_SECTION, MAX_FIELD, MAX_TEXT = 50, 150, 3_000, 2_000, 3_500
MAX_CONTEXT, MAX_BUTTON, MAX_URL = 10, 75, 3_000

ACKNOWLEDGE, RESOLVE = "incident.acknowledge", "incident.resolve"
OPEN_LINK = "incident.link"

_SIGNS = {
    Status.TRIAGE: "🔴",
    Status.INVESTIGATING: "🟠",
    Status.IDENTIFIED: "🟠",
    Status.MITIGATED: "🟡",
    Status.RESOLVED: "🟢",
    Status.CLOSED: "⚪",
    Status.DECLINED: "⚪",
    Status.MERGED: "⚪",
}


def fallback_text(card: Card, again: str = "") -> str:
    """Return what a notification, a screen reader or a client without blocks shows.

    Args:
        card: The incident.
        again: Why it rings again; empty at the first time.
    """
    if card.notice:
        return trimmed(escape(card.called.words if card.called else card.headline), MAX_TEXT)
    told = (card.sentence, *(item.explanation for item in card.evidence[:1]))
    why = again or " ".join(part for part in told if part)
    return trimmed(escape(f"{card.headline} — {card.status}. {why}"), MAX_TEXT)


def blocks_of(card: Card, again: str = "") -> list[Block]:
    """Return the incident's message; ``again`` is why it rings again, if it does."""
    if card.notice:
        return [
            SectionBlock(
                text=_mrkdwn(_called(card.called or Called(words=card.headline)), MAX_SECTION)
            )
        ]
    blocks: list[Block] = [
        HeaderBlock(text=trimmed(f"{_SIGNS[card.status]} {card.headline}", MAX_HEADER, "…")),
        SectionBlock(fields=[_field(name, value) for name, value in card.fields][:10]),
    ]
    if card.sentence:
        blocks.insert(1, SectionBlock(text=_mrkdwn(escape(card.sentence), MAX_SECTION)))
    if card.called and card.is_open:
        blocks.insert(1, SectionBlock(text=_mrkdwn(_called(card.called), MAX_SECTION)))
    if again:
        blocks.insert(1, SectionBlock(text=_mrkdwn(f"*Again:* {escape(again)}", MAX_SECTION)))
    for item in card.evidence:
        blocks.append(SectionBlock(text=_mrkdwn(escape(item.explanation), MAX_SECTION)))
        blocks.append(ContextBlock(elements=[_mrkdwn(part, MAX_SECTION) for part in _facts(item)]))
    if card.more_evidence:
        note = f"… and {card.more_evidence} more findings, see the war room"
        blocks.append(ContextBlock(elements=[_mrkdwn(note, MAX_SECTION)]))
    if card.lines:
        told = "\n".join(f"• {_linked(*line)}" for line in card.lines)
        blocks.append(SectionBlock(text=_mrkdwn(f"*Log lines*\n{told}", MAX_SECTION)))
    if card.diagnosis:
        found = "\n".join(f"• {escape(line)}" for line in card.diagnosis)
        blocks.append(SectionBlock(text=_mrkdwn(f"*Diagnosis*\n{found}", MAX_SECTION)))
    blocks.append(_links(card))
    if buttons := _buttons(card):
        blocks.append(ActionsBlock(block_id=f"incident:{card.incident_id}", elements=buttons))
    return blocks[:MAX_BLOCKS]


def escape(text: str) -> str:
    """Escape the three characters that Slack's markup reserves."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _called(called: Called) -> str:
    """Return who is on call; a member of the workspace is notified."""
    mentions = "".join(f"<@{member}> " for member in (called.slack, *called.others) if member)
    return f"{mentions}{escape(called.words)}"


def _facts(item: Evidence) -> list[str]:
    expression = trimmed(escape(item.expression).replace("`", "'"), 1_000)
    observed, baseline = escape(item.observed), escape(item.baseline)
    compared = f"observed *{observed}* · baseline *{baseline}* · window {escape(item.window)}"
    return [f"`{expression}`", compared] if item.measured else [f"`{expression}`"]


def _links(card: Card) -> ContextBlock:
    shown = [
        f"<{address}|{escape(label)}>" for label, address in card.links if len(address) < MAX_URL
    ]
    parts = [f"Incident {card.incident_id}", *shown][:MAX_CONTEXT]
    return ContextBlock(elements=[_mrkdwn(part, MAX_SECTION) for part in parts])


def _linked(words: str, address: str) -> str:
    """Return words that may be anybody's, then where their lines are."""
    return f"{escape(words)} (<{address}|show>)" if len(address) < MAX_URL else escape(words)


def _buttons(card: Card) -> Sequence[ButtonElement]:
    """Return the buttons that make sense in the card's state. They carry the id, nothing else."""
    if not card.is_open:
        return []
    resolve = _button("Resolve", RESOLVE, card, "danger")
    resolve.confirm = ConfirmObject(
        title="Resolve the incident?",
        text="It ends for everybody, and the post-mortem is written.",
        confirm="Resolve",
        deny="Not yet",
    )
    if card.acknowledged:
        return [resolve]
    return [_button("Acknowledge", ACKNOWLEDGE, card, "primary"), resolve]


def _button(label: str, action_id: str, card: Card, style: str) -> ButtonElement:
    text = trimmed(label, MAX_BUTTON)
    return ButtonElement(text=text, action_id=action_id, value=card.incident_id, style=style)


def _field(name: str, value: str) -> MarkdownTextObject:
    return _mrkdwn(f"*{escape(name)}*\n{escape(value)}", MAX_FIELD)


def _mrkdwn(text: str, longest: int) -> MarkdownTextObject:
    return MarkdownTextObject(text=trimmed(text, longest) or "–")


__all__ = ["ACKNOWLEDGE", "RESOLVE", "blocks_of", "escape", "fallback_text"]
