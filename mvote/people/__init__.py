"""Citizens, officers, administrators: who they are, how they sign in, what is known of them."""
