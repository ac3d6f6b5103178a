"""Forecasts: where a line is heading, how far that can be trusted, and when it reaches a limit.

The past of a line goes in; its likeliest course comes out, with a band whose width is what the same
method has missed by in this line's own past, and how often that past stayed inside. Only who asks
waits for it: nothing of this runs while steps are judged.
"""
