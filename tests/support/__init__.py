"""What tests are made of: the database, the checking client, people and polls ready to use."""
