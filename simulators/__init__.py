"""Simulated Exchange, Microsoft Graph and Re:infer servers over real HTTP.

The servers are strict: they refuse requests that a real server could refuse, so that a wrong request of this product fails in
the tests.
"""
