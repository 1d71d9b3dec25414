"""What the units of a network respond to: filters, activation maps, and the crops that activate a unit most."""
