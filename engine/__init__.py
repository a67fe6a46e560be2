"""botctl: declare what should be true, read what is true, apply the difference."""

__version__ = "0.1.0"
