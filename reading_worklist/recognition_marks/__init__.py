"""The marks of mutual recognition (互认) that exams of a site carry, kept on a page."""
