"""PURE  Counts in, figures out. Each function names the section of the metrics page that defines it."""
