"""One campaign: researchers at their seats, a server, workers, stop rules, finalists."""
