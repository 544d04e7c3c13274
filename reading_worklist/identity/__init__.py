"""The identity desk: whose study is it, when header and order do not say the same."""
