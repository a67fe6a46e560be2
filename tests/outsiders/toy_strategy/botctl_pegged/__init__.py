"""Two quotes, always as far behind the touch."""
