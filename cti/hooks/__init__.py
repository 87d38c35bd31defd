"""Other programs told and asked: webhooks, screen pop, links that dial."""
