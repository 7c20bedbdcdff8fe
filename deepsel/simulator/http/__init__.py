"""What of HTTP the simulator has to itself: responses written when each part is due, and broken on purpose."""
