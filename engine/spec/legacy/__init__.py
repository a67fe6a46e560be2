"""Reads the JSON configurations of an earlier trading program, and says what of them has no place here. Pure."""
