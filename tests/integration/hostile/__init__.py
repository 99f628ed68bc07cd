"""Tables of malformed and hostile traffic, one file per topic: each has ROWS."""
