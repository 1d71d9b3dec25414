"""`interp attack`: a command for every attack of the table, and those that make one change for all pictures."""
