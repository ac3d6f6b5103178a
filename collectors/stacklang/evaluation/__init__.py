"""Programs over data: in one go over a window, or standing, step by step, with the same answers.

What flows in: parsed expressions and a source of lines. What flows out: frames.
"""
