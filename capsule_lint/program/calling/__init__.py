"""Who calls whom, and with which arguments."""
