"""`deepsel chat`: a prompt that keeps a conversation; each line is asked as `ask` asks it."""
