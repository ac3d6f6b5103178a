"""Text in and out: lexer, literals, times, durations, steps, colours, and number formats."""
