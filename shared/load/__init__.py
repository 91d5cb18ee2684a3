"""Load from outside: people report over HTTP at their own times, and agencies see what comes of it."""
