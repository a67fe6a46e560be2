"""One small file per verb: reads the command line, calls the rooms below, prints. No decisions here."""
