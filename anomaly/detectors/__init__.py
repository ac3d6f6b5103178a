"""Online detectors: one value a step for each series in, a judgement out.

Each file is one detector, beside the pieces that they share. All obey
:class:`anomaly.detectors.detector.Detector`: they score before they learn, keep anomalies out of
their baseline, and say when they can't say anything yet. They know arrays, not rules or people.
"""
