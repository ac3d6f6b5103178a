"""HTTP: incidents, runbooks, decisions and post-mortems to read, commands and presses to carry out.

What flows in: requests of people and of Slack. What flows out: JSON, Markdown, HTML.
"""
