"""The operator's dashboards: ``dashboards/*.yaml`` below the configuration directory, over HTTP.

The pages' process speaks HTTP only, so the server reads the files and answers them.
"""
