"""Readers of the files that responses and tables lie in."""
