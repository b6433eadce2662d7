"""Declarations: what a client said at one time, put before them, confirmed or disputed by them."""
