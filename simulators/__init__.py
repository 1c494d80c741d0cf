"""Simulated Exchange, Microsoft Graph and Re:infer servers over real HTTP.

They refuse every request that a real server could refuse, so that a wrong request of this product fails in its tests.
"""
