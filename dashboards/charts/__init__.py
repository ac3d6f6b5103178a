"""Pure functions from data to chart: ECharts options (dictionaries) and Altair charts."""
