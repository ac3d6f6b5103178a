"""Which seasons a line has: hours of its past in, a day or a week or neither out.

What is found here takes seconds and weeks of history, so it is looked for beside the rules; they
are told of it.
"""
