"""The first screen of an incident: the answers to the five questions of whoever joins.

What is broken for whom, since when and is it getting worse, what most likely caused it, who is on
it, and what to do next. In come an incident as it is now and what evaluates expressions; out goes
what a page draws. Nobody is asked that has no answer: what is not measured is said to be so.
"""
