"""Stream rows, and the thread that reads and writes them."""
