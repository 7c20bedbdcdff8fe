"""What text will cost before it is sent: finds and reads it, counts it in each vocabulary, projects the spend."""
