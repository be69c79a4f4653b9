"""Code that takes keys apart, and what becomes of it when a segment is added."""
