"""What a simulated model says, and the errors it gives in its place: records and rows, before any wire writes them."""
