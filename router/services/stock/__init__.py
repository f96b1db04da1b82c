"""Numbers in quantity: stock that is imported from a CSV file, and exported in the same form."""
