"""Pictures: their files, their 8-bit levels, their baselines, and their division into pieces."""
