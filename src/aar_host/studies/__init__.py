"""Studies of the fleet itself: what its researchers try, and what differs between conditions."""
