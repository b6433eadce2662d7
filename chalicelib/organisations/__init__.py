"""The organisation: the data controller, its settings, its catalogue of purposes and its people."""
