"""The client: who it is, how to reach it, its contract, and its standing on every purpose."""
