"""`deepsel templates`: which there are, what one holds, where they lie."""
