"""Erasing what is no longer to be kept, and proving it: the chain stays, nothing legible does."""
