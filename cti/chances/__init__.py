"""How likely a person answers, contact by contact, learned from the attempts that have ended.

`facts` and `features` say what is known of a dial before it is made, `model` turns that into a chance, `measures`
judges chances against what happened, `fitting` fits a model and decides whether it may be used, `learner` reads, fits
and stores, `learned` answers the engine.
Only `logistic` knows scikit-learn, and only while fitting.
"""
