"""By which trunk a call leaves, and which number it shows.

`keeper` holds what is in use and answers the dialer, `desk` is what people see and change. All else is pure: `areas`
(which number is near), `caller_ids` (which is shown), `health` (whose answer rate fell), `counter` (calls of the last
hour and day), `breaker` (does a trunk work), `trunks` (which is taken). Dials nothing, and knows no exchange.
"""
