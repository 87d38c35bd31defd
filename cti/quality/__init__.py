"""Judging calls: keyword rules, talk figures, score cards, reviews and what they come to.

`wording`, `phrases`, `matching`, `talk`, `scoring`, `auto_answers`, `sampling`, `moves`, `tables` are pure. `judge`,
`rescans` and the desks act; `ports` says what they need. Where transcripts come from is not known here.
"""
