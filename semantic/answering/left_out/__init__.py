"""What an answer leaves out, counted over the rows that it reads: notes say it."""
