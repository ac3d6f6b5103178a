"""What tocsin tells of itself over HTTP: how full it is, and what it was set to.

In flow the stores, the engine and the settings; out flow two JSON documents for people who operate
it. Nothing here judges: the page of capacity and its reader do.
"""
