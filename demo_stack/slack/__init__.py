"""A local Slack: the Web API's documented answers and limits, kept in memory, on loopback.

What flows in: calls of Slack's Web API under ``/api/`` made by any Slack client, and clicks from a
preview page. What flows out: Slack's own answers (200 with ``ok: false`` for most errors, 429 with
``Retry-After`` for too many), signed interactions to the app's request URL, and everything that was
posted, so that a test or a person sees what a channel would show.

Sources: https://docs.slack.dev/reference/methods, https://docs.slack.dev/reference/block-kit,
https://docs.slack.dev/apis/web-api/rate-limits,
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""
