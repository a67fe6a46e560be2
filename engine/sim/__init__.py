"""Simulated venues as pure machines, their sockets as shells, and the virtual-time world to run bots in."""
