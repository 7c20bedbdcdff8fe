"""Thousands of requests as one job: read as a stream, planned, journalled, asked through one session, resumable to the line."""
