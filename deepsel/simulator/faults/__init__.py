"""Every way to misbehave: the rows, and the changes of planned responses they are made of."""
