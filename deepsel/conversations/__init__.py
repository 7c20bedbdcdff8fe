"""Conversations as they are kept: turns with all their parts, in one private file; asks nobody and shows nothing."""
