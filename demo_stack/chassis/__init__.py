"""What every service stands on: identity, telemetry, calls between services, injection points."""
