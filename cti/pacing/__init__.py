"""How many calls to place now. Pure: a floor, what was learned, in; a decision and its reasons out.

Knows nothing of Asterisk, databases or people's names. `floor` are the values that go in and out, `signals` what is
learned from; the engine of the dialer and the simulator use the same code.
"""
