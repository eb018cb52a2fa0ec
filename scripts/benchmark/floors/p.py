"""P: the start of a Python process that does nothing."""
