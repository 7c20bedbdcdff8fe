"""What each attempt took and cost, and what follows from it; shared by every process of the user, without a word of text."""
