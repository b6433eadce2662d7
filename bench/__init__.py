"""What Duly costs, each figure beside its floor: `make bench` (issue 2, "Figures")."""
