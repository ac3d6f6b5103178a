"""Rotas of other tools as ours: people, schedules, escalation policies, and what is lost."""
