"""Sends to providers: one call from request to events, over HTTP, with its time limits and certificates.

Each name is imported from its own module: the transport takes long to load.
"""
