"""Who pays what: plans, subscriptions, invoices and payments in one strongly consistent ledger."""
