"""Who reads a study and until when: clocks, roster, rules, assignment and escalation."""
