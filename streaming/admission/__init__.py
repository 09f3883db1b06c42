"""How much one owner and one address may start, run, open and replay."""
