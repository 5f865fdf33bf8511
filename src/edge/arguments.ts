/** A time as `list` prints it is one word, also where nobody has put it in quotes: `restore 2025-11-29 14:00:00`. */
export function joinTimes(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1) ?? '';
    const isTime = /^\d\d?(?::\d\d?){0,2}$/.test(word) && /^\d{4}-\d\d-\d\d$/.test(before);
    if (isTime) joined.pop();
    joined.push(isTime ? `${before} ${word}` : word);
  }
  return joined;
}
