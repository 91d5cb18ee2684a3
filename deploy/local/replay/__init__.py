"""`ruamjai replay`: a file of reports through a running system, in its own rhythm, watched from outside."""
