"""`make demo`: a whole exchange on this machine, three simulated reps, some dozens of contacts with every outcome.

contacts: who is called · reps: what the reps do · screen: what is shown · speech: what was said · flow: what happens
when · __main__: the command
"""
