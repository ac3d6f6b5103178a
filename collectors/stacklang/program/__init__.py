"""A program as a stack of values: the interpreter, words, and the types that words match."""
