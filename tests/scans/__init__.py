"""Scans of signed papers: made, spoilt, read."""
