"""Zipkin's own protocol: version 2 spans in JSON and protobuf."""
