import leven from 'leven';

/** Two letters may be wrong; of a longer name, the end may be missing, or something behind it too much. */
const [wrongLetters, missingLetters] = [2, 4];

/**
 * What a name in a settings file may have been meant to be: `RETENTION_DAY in .env is no setting; do you
 * mean RETENTION_DAYS?`
 * @param label the file, for people.
 * @param settings the names of all variables that are settings.
 * @returns undefined where it is a setting, or near to none.
 */
export function misspellingOf(
  name: string,
  label: string,
  settings: ReadonlySet<string>,
): string | undefined {
  if (settings.has(name) || /^PG[A-Z]/.test(name)) return undefined;
  const plain = (text: string) => text.replaceAll('_', '').toUpperCase();
  const given = plain(name);
  const distances = [...settings].map((setting) => {
    const wanted = plain(setting);
    const isPart = wanted.startsWith(given) || given.startsWith(wanted);
    const isNear = isPart && Math.abs(given.length - wanted.length) <= missingLetters;
    const distance = leven(given, wanted);
    return { setting, distance: isNear ? Math.min(distance, wrongLetters) : distance };
  });
  const [nearest] = distances.sort((a, b) => a.distance - b.distance);
  if (nearest === undefined || nearest.distance > wrongLetters) return undefined;
  return `${name} in ${label} is no setting; do you mean ${nearest.setting}?`;
}
