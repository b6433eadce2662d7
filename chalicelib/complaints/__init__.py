"""Complaints: from what came in to the answer, with no deadline passing in silence."""
