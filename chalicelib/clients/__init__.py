"""The client: who it is, how to reach it, whether there is a contract, and its standing on every purpose."""
