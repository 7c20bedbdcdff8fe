"""Answers an invocation that was answered before; how that is kept is known in here alone."""
