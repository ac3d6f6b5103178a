"""The wall: one screen at a time in large type, for a display that nobody touches.

``?wall=1`` in the address of any page shows it; there are no controls, and it renews itself.
"""
