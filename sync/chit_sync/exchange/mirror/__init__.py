"""Exchanging with helpdesks: what they show is taken in as changes, what was written here is brought there by calls, each once."""
