"""What the units of a network respond to, what they add to a score, and the parts that they tell apart together."""
