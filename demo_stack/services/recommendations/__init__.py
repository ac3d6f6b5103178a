"""What a viewer would like to watch next."""
