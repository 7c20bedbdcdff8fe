"""Paths and texts to counts: finding, decoding, telling languages apart, counting, sampling; knows no price."""
