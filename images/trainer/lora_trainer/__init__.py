"""The trainer: one job configuration in, one verified LoRA adapter out.

`run` starts everything without torch; `phases` is the torch half; each model family is one file in `families`.
"""
