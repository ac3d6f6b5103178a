"""Runbooks: documents that say what to do, proposed where they fit.

What flows in: YAML documents and an incident's findings. What flows out: a proposal with its
reason. Nothing here changes production: a step that would needs an approval, and approved steps are
still carried out by people.
"""
