"""Syslog by RFC 5424, in datagrams (RFC 5426) and streams (RFC 6587): off unless a port is set."""
