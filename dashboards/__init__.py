"""Pages for people: the war room and what surrounds it, in a process of their own.

In: the HTTP API, through :mod:`tocsin.client` and nothing else, so that a slow page can't slow
detection. Out: what a browser shows. ``charts`` turns data into chart options without any
Streamlit, ``panels`` draws one part of a page each, ``app_pages`` puts panels on pages, ``feed``
keeps the last good answer for the moments when the API is away.
"""
