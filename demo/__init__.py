"""The demo: the whole product on one machine, with simulated Exchange, Microsoft Graph and Re:infer servers.

`python -m demo` runs until Ctrl-C and serves the pages; `python -m demo smoke` runs an automatic check.
"""
