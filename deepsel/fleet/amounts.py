"""Money in scripts: a script counts in doubles, so amounts of 1e-12 USD are compared in two halves, and added by the server itself."""

from __future__ import annotations

AMOUNTS = """
local function halves(text)
  if #text <= 6 then return 0, tonumber(text) end
  return tonumber(string.sub(text, 1, -7)), tonumber(string.sub(text, -6))
end
local function plus(high, low, text)
  local more_high, more_low = halves(text)
  low = low + more_low
  return high + more_high + math.floor(low / 1000000), low % 1000000
end
local function is_over(high, low, bound)
  local bound_high, bound_low = halves(bound)
  return high > bound_high or (high == bound_high and low > bound_low)
end
"""
"""Amounts are texts of digits: `plus` adds one to a sum, `is_over` holds a sum against a bound; both are exact to 9e21."""
