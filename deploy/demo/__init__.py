"""The demonstration: a small consortium whose exams walk the whole road over real networks."""
