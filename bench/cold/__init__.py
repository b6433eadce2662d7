"""The contenders of a cold start, each a program of its own: it starts, answers one request, ends."""
