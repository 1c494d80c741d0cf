"""Adapter for the Re:infer API: the only package that sends HTTP requests to Re:infer.

`sink.ReinferSink` is the entry point.
"""
