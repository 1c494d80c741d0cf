"""The demo: the whole product on one machine, with a simulated Exchange and a simulated Re:infer.

`python -m demo` runs until Ctrl-C and serves the pages; `python -m demo smoke` runs an automatic check.
"""
