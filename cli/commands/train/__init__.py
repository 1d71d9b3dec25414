"""`interp train`: networks that are hard to fool."""
