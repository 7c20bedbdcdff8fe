"""Reads what people and programs hand over as messages: chat lists of either form, tools, JSON lines, files.

Strict: what no part can hold is kept and sent back in the form it came in, or refused by name; nothing is dropped. Sends
nothing and counts nothing.
"""
