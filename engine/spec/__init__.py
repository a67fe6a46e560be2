"""From text to checked, typed specs, with every complaint at its file, line and column."""
