"""Who is asking and what they may see: sign-in, sessions and the one scoping function."""
