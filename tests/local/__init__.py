"""The local cloud itself: it has to be as strict as what it stands for."""
