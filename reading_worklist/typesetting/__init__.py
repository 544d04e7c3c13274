"""Setting paper: fonts, printable text, labels in two languages, and the compiler."""
