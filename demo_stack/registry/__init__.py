"""Who is there: instances hold leases that they renew; callers keep a copy (as Eureka does it)."""
