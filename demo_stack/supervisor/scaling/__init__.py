"""How many instances a service needs: forecast, policy, and the hand that scales."""
