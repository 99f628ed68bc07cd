"""Tables of cache behaviour, one file per topic: each has ROWS."""
