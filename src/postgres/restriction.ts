/** The first minor release of each major version whose psql knows `\restrict` (August 2025). */
const restrictSince: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 };

/** Whether a psql of this version can be kept from running commands of its own. */
export function canBeRestricted(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major >= 18 || minor >= (restrictSince[major] ?? Infinity);
}
