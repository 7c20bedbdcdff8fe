"""The protocols spoken with providers: what a request is on each, what its answers say, what failures and limits they report.

Knows values, never the transport. Each name is imported from its own module; a wire is loaded when it is first needed.
"""
