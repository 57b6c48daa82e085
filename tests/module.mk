# tests/: what no folder owns
