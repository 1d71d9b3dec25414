"""`interp evaluate`: what networks and explanations are worth on a folder of pictures."""
