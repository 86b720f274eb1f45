"""The ballot box: keys, sealing, the slot, receipts, the log, opening and counting."""
