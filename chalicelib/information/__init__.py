"""What clients are told of their rights: published texts, dated, each an extract of an order."""
