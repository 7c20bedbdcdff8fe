"""Draws an answer on a terminal: lines of Markdown become rows, rows become bytes; nothing that came is lost.

`page` reads line by line and asks `inline`, `table` and `code` what a line looks like, `cells` folds it to the window, `screen` knows
what stands on the terminal already, `frames` says when to draw. A row that is done is written once and never touched again.
"""
