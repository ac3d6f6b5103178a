"""Slack's documented limits, in one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackLimits:
    """Sizes are characters unless named otherwise; rates are calls.

    Attributes:
        message_rate_per_s: Messages a second and channel that ``chat.postMessage`` sustains.
        message_burst: Messages a channel takes at once before that rate applies; Slack allows
            "short bursts" without naming a number.
        method_rates_per_min: Calls a minute by method, from Slack's tiers 1 to 4.
        response_url_uses: How often an interaction's ``response_url`` may be used.
        response_url_age_s: For how long it may be used, seconds.
        ack_timeout_s: How long Slack waits for an app to acknowledge an interaction, seconds.
    """

    body_bytes: int = 1_000_000
    text: int = 40_000
    update_text: int = 4_000
    blocks: int = 50
    blocks_json: int = 13_200
    header_text: int = 150
    section_text: int = 3_000
    section_fields: int = 10
    field_text: int = 2_000
    context_elements: int = 10
    actions_elements: int = 25
    button_text: int = 75
    button_value: int = 2_000
    url: int = 3_000
    identifier: int = 255
    options: int = 100
    option_text: int = 75
    option_value: int = 150
    confirm_title: int = 100
    confirm_text: int = 300
    confirm_button: int = 30
    image_url: int = 3_000
    alt_text: int = 2_000
    channel_name: int = 80
    topic: int = 250
    bookmark_title: int = 100
    metadata_bytes: int = 8_000
    history_page: int = 999
    messages_kept: int = 10_000
    message_rate_per_s: float = 1.0
    message_burst: int = 5
    response_url_uses: int = 5
    response_url_age_s: int = 1_800
    ack_timeout_s: float = 3.0


TIER_2, TIER_3, TIER_4 = 20, 50, 100

METHOD_RATES_PER_MIN = {
    "auth.test": 600,  # "special": hundreds a minute
    "bookmarks.add": TIER_2,
    "bookmarks.list": TIER_3,
    "chat.getPermalink": 600,  # "special"
    "chat.update": TIER_3,
    "conversations.archive": TIER_2,
    "conversations.create": TIER_2,
    "conversations.invite": TIER_3,
    "conversations.setPurpose": TIER_2,
    "conversations.setTopic": TIER_2,
    "conversations.history": TIER_3,
    "conversations.list": TIER_2,
    "conversations.replies": TIER_3,
    "pins.add": TIER_2,
    "pins.list": TIER_2,
    "reactions.add": TIER_3,
    "users.info": TIER_4,
}
"""Calls a minute for a workspace; ``chat.postMessage`` has its own rule by channel."""
