"""A test report each minute, all the way through: whether the platform works, seen from outside."""
