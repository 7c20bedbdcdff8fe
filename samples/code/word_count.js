// Count the words of a text and print the most frequent ones.
import { readFileSync } from "node:fs";

const WORD = /[\p{L}\p{N}_]+/gu;

export function mostFrequent(text, limit = 10) {
  const words = new Map();
  for (const [word] of text.matchAll(WORD)) {
    const key = word.toLowerCase();
    words.set(key, (words.get(key) ?? 0) + 1);
  }
  return [...words.entries()]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, limit);
}

for (const [word, count] of mostFrequent(readFileSync(0, "utf8"))) {
  console.log(`${String(count).padStart(8)}  ${word}`);
}
