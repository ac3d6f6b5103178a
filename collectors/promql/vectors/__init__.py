"""What expressions evaluate to, where they are evaluated, and what selectors find there."""
