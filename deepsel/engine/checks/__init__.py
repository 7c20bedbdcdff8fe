"""What an answer must be before it is shown as one: whole, what was asked for, and with usage that can be."""
