"""From findings to incidents: grouping and severity. Pure, but for the record of decisions.

What flows in: findings, the open incidents, the service graph. What flows out: decisions, each with
its reason, also where the decision is to stay silent.
"""
