"""Measures latency of models under known load, judges the figures, and reports them; sends through `providers` alone."""
