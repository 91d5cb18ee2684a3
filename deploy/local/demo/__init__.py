"""`make demo`: a day in Phetchabun on the four services as processes, watched and judged from outside."""
