"""As much HTTP as the simulator needs: requests read within bounds, responses written when each part is due."""
