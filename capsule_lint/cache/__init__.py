"""What earlier runs found out, by content: facts of files, and reports of whole runs."""
