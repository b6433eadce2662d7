"""The heads of all chains, laid down where nobody can change them, and signed day by day."""
