-- Count the words of the texts in a table and list the most frequent ones (SQLite).
CREATE TABLE IF NOT EXISTS texts (id INTEGER PRIMARY KEY, body TEXT NOT NULL);

WITH RECURSIVE words(word, rest) AS (
    SELECT '', lower(body) || ' ' FROM texts
    UNION ALL
    SELECT substr(rest, 1, instr(rest, ' ') - 1), substr(rest, instr(rest, ' ') + 1)
    FROM words
    WHERE rest <> ''
)
SELECT count(*) AS occurrences, word
FROM words
WHERE word <> ''
GROUP BY word
ORDER BY occurrences DESC, word
LIMIT 10;
