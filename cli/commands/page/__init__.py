"""`interp app`: a page to look around in, served to this machine alone."""
