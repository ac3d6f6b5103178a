"""What commands share: options made from settings, answers in words or JSON."""
