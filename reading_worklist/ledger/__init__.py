"""The ledger: of every exam one line from its order to the opened report, and what is stuck."""
