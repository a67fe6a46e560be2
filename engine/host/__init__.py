"""What the processes of one host share: workspace paths, generations, holds, secrets, locks, tags."""
