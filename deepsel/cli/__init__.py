"""What a person types and reads: one file a command, one error boundary."""
