"""What single services do, as data: the conformance tests and their table in the docs."""
