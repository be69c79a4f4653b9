"""What expressions may be, across files, on demand."""
