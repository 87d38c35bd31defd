"""Figures from facts, and the comparison of our calls with Asterisk's own records. Pure but for `ports`."""
