"""What would happen, as values: desired, observed, their difference, and how it reads. Nothing here acts."""
