"""Escalation: who is rung next while nobody answers, and what happens when nobody ever does.

A policy is kept as it was when the incident opened; who is on call is looked up at each step.
"""
