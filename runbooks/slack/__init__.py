"""The room where people answer in Slack: commands, forms, marks, and a war room for each incident.

In flow what people ask, by signed HTTP or over Socket Mode, kept before Slack is answered; out flow
commands to the desk, and channels that stand where their incidents do. Pages are not sent here, but
by the notifier.
"""
