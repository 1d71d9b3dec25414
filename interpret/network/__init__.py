"""Looking into a network while it runs: hooks, layers, and what stands in for the derivative of an activation."""
