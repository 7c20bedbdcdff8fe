"""`deepsel config`: what is in force and where it comes from, and changes of one value; the reader of profiles.toml judges both."""
