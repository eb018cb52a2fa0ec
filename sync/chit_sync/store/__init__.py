"""The store on this disk: the log of changes, and the tables that make it quick to read. SQL is in this package alone."""
