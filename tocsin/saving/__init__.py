"""Files of the configuration directory, written from a page: charts kept, alerts proposed.

In: what a reader asks for on a page. Out: a file as text, checked together with all others as
``check-config`` would, then written in one go and put into force. Only kinds that hold no secrets
and run nothing can be written.
"""
