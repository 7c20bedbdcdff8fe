"""What a person types and reads: a file or a folder a command, one error boundary."""
