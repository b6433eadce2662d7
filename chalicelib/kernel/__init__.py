"""What every feature stands on, and what knows no feature: pure, without I/O, without a clock."""
