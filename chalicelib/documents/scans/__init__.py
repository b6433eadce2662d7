"""Scans of signed papers, read: pages of a file, the code on each, what was written by hand."""
