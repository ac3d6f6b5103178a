"""Every function by its name."""

from __future__ import annotations

from collectors.promql.functions.arguments import Arguments, Function
from collectors.promql.functions.info import INFO_FUNCTIONS
from collectors.promql.functions.of_histograms import HISTOGRAM_FUNCTIONS
from collectors.promql.functions.of_labels import LABEL_FUNCTIONS
from collectors.promql.functions.of_values import VALUE_FUNCTIONS
from collectors.promql.functions.of_windows import WINDOW_FUNCTIONS

FUNCTIONS: dict[str, Function] = {
    **HISTOGRAM_FUNCTIONS,
    **INFO_FUNCTIONS,
    **LABEL_FUNCTIONS,
    **VALUE_FUNCTIONS,
    **WINDOW_FUNCTIONS,
}
"""What :data:`collectors.promql.language.signatures.SIGNATURES` declares, as it is computed."""

__all__ = ["FUNCTIONS", "Arguments", "Function"]
