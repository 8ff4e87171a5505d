"""The commands of `visawatch`, a file for each family."""
