"""The composition root's rooms: each puts one subject of the service together, and starts nothing."""
