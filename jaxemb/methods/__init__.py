"""What users call: a module or package a method, each with `Options` and `fit`."""
