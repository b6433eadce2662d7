"""The demonstration without a screen: one module for each story."""
