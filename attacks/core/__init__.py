"""What the attacks share: losses, norms and balls, the loops, and the batch of samples that are still attacked."""
