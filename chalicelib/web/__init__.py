"""The HTTP edge: everything that knows of requests, statuses and headers.

Chalice lives here and in app.py.
"""
