"""A report in each of its formats; computes nothing that the report does not hold."""
