"""From findings to incidents: grouping, severity, and where pages go. Pure.

What flows in: findings, the open incidents, the service graph, the operator's routes. What flows
out: decisions, each with its reason, also where the decision is to stay silent.
"""
