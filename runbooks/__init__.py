"""Response: findings become incidents, pages, runbook steps and post-mortems.

What flows in: :class:`anomaly.findings.Finding` through :class:`runbooks.desk.desk.IncidentDesk`,
commands of people through the HTTP API and Slack's buttons. What flows out: notifications through
an outbox, the incident's event log, and documents.
"""
