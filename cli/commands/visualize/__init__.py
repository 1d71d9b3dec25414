"""`interp visualize`: what raises a class, a channel or a layer, drawn from nothing."""
