"""Looking into a network while it runs: hooks, layers, gradients, and backward rules for activations."""
