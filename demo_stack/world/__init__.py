"""What everybody in this world knows by name: regions, services, devices, accounts, titles."""
