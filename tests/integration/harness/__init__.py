"""Black-box test harness: a scripted origin, a raw client and the revcache process."""
