"""What the engine drives: each rule asks for expressions and says what their values mean.

Values flow in step by step, findings flow out. The arithmetic is below: budgets and burn rates in
``slo``, judgements of series in ``detectors``.
"""
