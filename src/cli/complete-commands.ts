import { optionWords, type PlaceOptions } from './options.ts';

const commands = /pratiko-backup ([a-z]+)((?:(?!&&)[^`;|])*?)(?= *(?:`|&&|;|\|))/g;

/** Those that work with a backup directory; some of them with a database, too. */
const withDirectory = ['verify', 'prune', 'list', 'diff', 'extract', 'schedule', 'copy', 'keygen'];
const withDatabase = ['backup', 'restore', 'status', 'doctor'];

/**
 * Hints name commands as everybody can run them. Here each gets what says where this run works, so that a
 * person who copies it meets the same database and directory: `restore --config /etc/crm.env`.
 */
export function completeCommands(text: string, { directory, connection }: PlaceOptions): string {
  return text.replaceAll(/`[^`]+`/g, (quoted) =>
    quoted.replaceAll(commands, (whole, command: string, given: string) => {
      const isWithDatabase = withDatabase.includes(command);
      if (!isWithDatabase && !withDirectory.includes(command)) return whole;
      const all = isWithDatabase ? { ...directory, ...connection } : directory;
      const isGiven = (option: string) =>
        given.includes(` ${option} `) || (option === '--to' && given.includes(' --dbname '));
      const missing = Object.entries(all).filter(([option]) => !isGiven(option));
      const words = optionWords(Object.fromEntries(missing));
      // Only a restore says where to.
      return whole + (command === 'restore' ? words : words.replace(' --to ', ' --dbname '));
    }),
  );
}
