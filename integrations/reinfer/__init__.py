"""The adapter of Re:infer: the only place that speaks HTTP with it. What it offers is `sink.ReinferSink`."""
