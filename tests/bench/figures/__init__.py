"""What is measured: a module for each group of figures, in it a function for each figure, which takes the Bench."""
