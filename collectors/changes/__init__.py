"""What people and their tools have changed: deployments, scaling, failovers, flags, keys.

Anybody may announce a change over HTTP. They are kept beside the telemetry, so that whatever is
found wrong can be shown with the change nearest in time.
"""
