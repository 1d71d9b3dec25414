"""`interp grid`: maps of any of methods, classes, layers, networks, attacks and pictures in rows and columns."""
