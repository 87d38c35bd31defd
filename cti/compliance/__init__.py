"""May this number be dialed now? Pure rules, profiles of law as data, and what must be known to answer.

`profile_keys` says what a profile may hold, `profiles` reads them and applies a campaign's changes; the result is a
`rulebook` of `law`. `checks` answers from a law and from facts, `hours` and `places` know local time, and `gate` is the
service that reads the facts and asks.
"""
