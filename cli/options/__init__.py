"""Options that several commands share: each written once, and handed over as a record with declared fields."""
