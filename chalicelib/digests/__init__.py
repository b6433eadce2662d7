"""Word for staff, gathered: one letter a person, a sign of life a day, a month in numbers."""
