"""Key templates: which lack scopes, and how segments come into them."""
