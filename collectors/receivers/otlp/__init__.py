"""OpenTelemetry's protocol over HTTP and gRPC, in protobuf and JSON.

What flows in: export requests. What flows out: a metric batch or spans a request, and the partial
success that says what was refused and why.
"""
