"""Canary analysis: does the new one do as well as what ran before?

Two samples of each metric go in, a control and an experiment; out comes a verdict on each, with
its reason, and one score. The rules are those of Kayenta's judge, so that a pipeline that knows it
finds what it expects. Each deployment that spans or announcements tell of is compared unasked.
"""
