"""Pure checks of one answer: whether it is whole, its tool calls can be made, and its usage can be."""
