"""Every use of a changing name, and the verdict that it gets in the ledger."""
