"""Slow, readable definitions to which fast kernels are compared."""
