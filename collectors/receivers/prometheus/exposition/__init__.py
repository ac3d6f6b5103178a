"""Pages of metrics in Prometheus's text format and OpenMetrics, read into series and values.

``words`` are numbers, times and labels, ``tail`` is what stands behind a value, ``composite`` the
values of OpenMetrics 2.0 that hold a whole histogram, ``metadata`` what comments say. ``line`` puts
them together: it is the grammar. ``parser`` reads pages by it, and remembers lines so that the next
page of the same target costs little. Source: prometheus ``model/textparse``.
"""
