import { visible } from './text.ts';

// Not by Intl: what it loads for the first number takes a tenth of what a short command takes.

/** `1204` → `1,204`. */
export function formatCount(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1, 'table'` → `1 table`; `1204, 'row'` → `1,204 rows`; `2, 'loss', 'losses'` → `2 losses`. */
export function formatPlural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

/** Bytes in decimal units: `3145728` → `3.1 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded to 1000 is one of the next unit.
  for (; Math.abs(value) >= 999.95 && unit < units.length - 1; unit += 1) value /= 1000;
  const digits = unit === 0 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${units[unit] ?? ''}`;
}

/** Milliseconds as `0.4 s`, `12 s`, `3 min 5 s` or `2 h 10 min`. */
export function formatDuration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The time since something, coarse: `moments`, `5 minutes`, `3 hours`, `12 days`. */
export function formatAge(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'moments';
  if (minutes < 120) return formatPlural(minutes, 'minute');
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? formatPlural(hours, 'hour') : formatPlural(Math.floor(hours / 24), 'day');
}

/** `07`, as it stands in a date or a time. */
export const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** A moment in local time: `2025-11-29 02:00:00`. */
export function formatLocalTime(moment: Date): string {
  const date = `${moment.getFullYear()}-${twoDigits(moment.getMonth() + 1)}-${twoDigits(moment.getDate())}`;
  return `${date} ${twoDigits(moment.getHours())}:${twoDigits(moment.getMinutes())}:${twoDigits(moment.getSeconds())}`;
}

/** A shell command that prints a file as it was before it was encrypted: `gpg --decrypt ….globals.sql.gpg`. */
export function decrypted(path: string): string {
  const word = shellWord(path);
  if (path.endsWith('.age')) return `age --decrypt -i KEY_FILE ${word}`;
  return path.endsWith('.gpg') ? `gpg --decrypt ${word}` : `cat ${word}`;
}

/** A shell command that prints the SQL of a dump: `gunzip -c backups/….sql.gz`. */
export function printed(path: string): string {
  if (path.endsWith('.gz')) return `gunzip -c ${shellWord(path)}`;
  return /\.(?:age|gpg)$/.test(path) ? `${decrypted(path)} | gunzip -c` : decrypted(path);
}

/** A word for a shell (bash, where it has control characters), as a person can copy it: `it's` → `'it'\''s'`. */
export function shellWord(word: string): string {
  if (/\p{Cc}/u.test(word)) return `$'${visible(word.replaceAll(/['\\]/g, '\\$&'))}'`;
  return /^[\w.,/:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The first names of a list, and how many more there are: `a, b, c and 4 more`. */
export function formatNames(names: readonly string[], most: number): string {
  const more = names.length - most;
  return `${names.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
