"""Templates of labels and annotations, in the language of Go's ``text/template``.

In: a text and what it may speak of. Out: a text, or why there is none. Pure, and bounded.
"""
