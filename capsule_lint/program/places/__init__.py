"""Where keys stand, and what each of them is for."""
