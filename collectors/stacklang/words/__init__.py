"""The words of the language, one file for each vocabulary.

A word is an object that describes itself: name, parameters, outputs, summary, examples. Matching,
signatures, help, completion and the reference page all derive from that description.
"""
