"""Copies: what one node of a pair accepts reaches the other before it is acknowledged.

In flow requests that this node's receivers have accepted; out of it the same requests to the other
node. What that one can't take now is kept in a file of bounded size and brought later, in order.
"""
