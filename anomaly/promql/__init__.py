"""PromQL where a rule asks: written among expressions of the stack language, evaluated by steps.

What flows in are queries in documents and a store's samples; what flows out are frames, as the
stack language gives them, and what the engine has to listen to.
"""
