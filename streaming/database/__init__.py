"""Rows: what is stored of streams, and the thread that reads and writes them."""
