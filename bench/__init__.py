"""Benchmarks of time and memory. `fetch`, `graph` and `cleaning` can compare alternatives in the same run."""
