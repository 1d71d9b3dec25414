"""What the units of a network respond to: filters, activation maps, and the crops that excite a unit most."""
