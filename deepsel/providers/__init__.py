"""Speaks with providers: the table of wires, one call from request to events, and what failures and limits they report.

Each name is imported from its own module: a hit in the cache needs the wires alone, and the transport takes long to load.
"""
