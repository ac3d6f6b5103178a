"""Any node takes samples: what comes is divided by who holds it, and handed on."""
