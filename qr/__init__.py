"""Site codes and their print: pure functions without database, network or clock."""
