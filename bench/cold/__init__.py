"""The contenders of a cold start: each a program that starts, answers one request and ends."""
