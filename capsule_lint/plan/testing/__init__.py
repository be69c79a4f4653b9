"""What tests say of what changes: keys and items that they spell out, mocks, stand-ins."""
