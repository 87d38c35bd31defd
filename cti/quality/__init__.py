"""Judging calls by what was said: keyword rules, talk figures, score cards. Pure but for its desks."""
