"""Objectives: arrays to losses, one formula a file. What they return is one of three contracts.

- An array [B], float: the loss of each example, never averaged. The caller takes the mean.
- `jaxemb.losses.terms.Terms`, where an example may have several terms or none: "loss" [B], the sum
  of each example's terms, and "counts" [B], how many they are. `mean_of_terms` averages over terms.
- An array []: an objective over all pairs of a map, such as a stress or a Kullback-Leibler
  divergence. Its docstring says whether it is a sum or a mean.

Examples that a mask leaves out, and those without a partner, have loss 0 and zero gradient.
Gradients are finite for equal, zero and huge vectors. `jaxemb.losses.combined` combines losses of
any contract. Labels out of range raise nothing inside a compiled function: check them first with
`jaxemb.checks.check_labels`.
"""
