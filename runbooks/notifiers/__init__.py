"""Ways to reach people, one a file, and the card that says what a page is about.

What flows in: a delivery with its card. What flows out: a message, and a reference to it.
"""
