"""What reaches a terminal, a pipe or a file, and the readers of the engine's events."""
