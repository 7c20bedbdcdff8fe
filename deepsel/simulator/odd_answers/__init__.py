"""Answers in forms that hosts really send and that are easily misread."""
