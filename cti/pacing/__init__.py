"""How many calls to place now. Pure: a floor, what was learned, in; a decision and its reasons out.

Knows nothing of Asterisk, databases or people's names. `floor` are the values that go in and out, `signals` what is
learned from; the engine of the dialer and the simulator use the same code.

progressive   one call for each free agent
predictive    more than that, as many as the drop target bears
learner       what the predictive pacer has learned so far, of
attempts      how attempts are answered, and when
durations     how long conversations and wrap-ups last, and who will be free
risk          the chance that one more call finds nobody
controller    how large that chance may be
throttle      calls per second
"""
