"""Figures of this machine, each as a ratio to a peer measured in the same run. See README.md here."""
