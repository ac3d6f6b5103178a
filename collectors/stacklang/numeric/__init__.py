"""The arithmetic of the words: pure functions and kernels over arrays, (lines, steps) float64."""
