"""Language models for researchers: prices, wires, endpoints, and the host's own way to them."""
