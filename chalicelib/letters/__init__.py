"""Letters: promised in the change that needs them, composed and sent later, kept as sent."""
