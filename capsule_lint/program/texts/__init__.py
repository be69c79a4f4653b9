"""What string expressions say as keys: their texts and holes, and which scopes they carry."""
