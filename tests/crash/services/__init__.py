"""The crash proof of the four services: the same faults, and a judge that knows the contracts alone."""
