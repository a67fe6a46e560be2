"""Observes and changes the running fleet: the only room that tells processes to start and stop."""
