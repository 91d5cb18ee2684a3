"""Real servers on one machine, for developers, tests, the crash harness and the benches."""
