"""Report: a page with the scores of a combination, their baselines, and the data and settings behind them."""
