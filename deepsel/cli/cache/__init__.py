"""`deepsel cache`: looks at the answer cache, keeps it in order, moves it and empties it; what it is stands in deepsel.cache."""
