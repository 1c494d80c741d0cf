"""The whole product on one machine, against a simulated Exchange and a simulated Re:infer: to look at, and to check.

`python -m demo` shows it to a person until Ctrl-C; `python -m demo smoke` checks it without one.
"""
