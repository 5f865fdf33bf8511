import { split } from 'shlex';
import type { z } from 'zod';

export type Zod = typeof z;

/** A whole number. */
export const integer = (from: number, to: number) => (zod: Zod) =>
  zod
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= from && Number(text) <= to, {
      error: `a whole number from ${from} to ${to}`,
    })
    .transform(Number);

/** A name of PostgreSQL, which has at most 63 bytes. */
export const identifier = (zod: Zod) =>
  zod.string().refine((text) => text !== '' && Buffer.byteLength(text) <= 63, {
    error: 'a name of 1 to 63 bytes',
  });

/** A path, of which the shell has not expanded the home directory. */
export const path = (zod: Zod) =>
  zod.string().refine((text) => text !== '' && !text.startsWith('~'), {
    error: 'a path with the home directory written out: ~ is not expanded',
  });

/** A private key, or a URL with a password, which somebody may put where it does not belong: never shown. */
export const mayBeSecret = (text: string): boolean =>
  /AGE-(?:SECRET|PLUGIN)|PRIVATE KEY|:\/\/[^/\s]*@|secret|passw|pass=|key=/i.test(text);

/** A path of a file with keys, which is easily confused with what is in it. */
export const keyFile = (zod: Zod) =>
  path(zod).refine((text) => !/AGE-(?:SECRET|PLUGIN)|^\W*age1/i.test(text), {
    error: 'the path of a file, not a key',
  });

/** What tells to whom something is encrypted, in one line. */
export const recipient = (zod: Zod) =>
  zod
    .string()
    .refine((text) => text.trim() !== '' && !/[\0\r\n]/.test(text), { error: 'in one line' })
    .refine((text) => !/AGE-(?:SECRET|PLUGIN)|PRIVATE KEY/i.test(text), {
      error: 'a public key, not a private one',
    });

const destinations = [
  /^s3:\/\/[a-z0-9][a-z0-9._-]+(?:\/[^?#]*)?$/i,
  /^file:\/\/\/[^?#]+$/,
  /^rclone:[\w.+@][\w.+@ -]*:/,
];

/** Whether a text is the URL of a place for copies. */
export const isPlace = (text: string): boolean =>
  destinations.some((pattern) => pattern.test(text));

/** Whether a text is the URL of a copy, not the path of a file. */
export const isCopyUrl = (text: string): boolean => /^(?:s3|file|rclone):/.test(text);

/** Places for copies, separated by spaces. */
export const offsiteUrls = (zod: Zod) =>
  zod
    .string()
    .transform((text) => text.split(/\s+/).filter((word) => word !== ''))
    .refine((words) => words.length > 0 && words.every(isPlace), {
      error: 's3://bucket/prefix, file:///directory or rclone:REMOTE:PATH',
    });

/** An address that takes messages. */
export const webUrl = (zod: Zod) =>
  zod.url({ protocol: /^https?$/, error: 'an http or https URL' });

/** What only a shell understands, outside quotes. */
const shellSyntax = /[|&;<>`]|\$[\w({]/;

const withoutQuotes = (text: string) => text.replaceAll(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs, '');

/** A command, as words: quotes and backslashes as in a shell, and nothing else of one. */
export const command = (zod: Zod) =>
  zod.string().transform((text, context): readonly [string, ...string[]] => {
    const refuse = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return zod.NEVER;
    };
    let words: string[];
    try {
      words = split(text);
    } catch {
      return refuse('a command in which every quote is closed');
    }
    const [file = '', ...rest] = words;
    if (/[\0\r\n]/.test(text)) return refuse('a command in one line');
    if (shellSyntax.test(withoutQuotes(text))) {
      return refuse("one command: there is no shell for |, &, ;, > and $NAME; `sh -c '…'` is one");
    }
    if (file === '' || /^\w+=/.test(file)) {
      return refuse('a command with its words (`env NAME=value COMMAND` sets a variable for one)');
    }
    if (file.startsWith('~')) return refuse('a command without ~, which is not expanded');
    return [file, ...rest];
  });

/** Patterns of PostgreSQL, separated by spaces that are not within double quotes. */
export const patterns = (zod: Zod) =>
  zod
    .string()
    .refine(
      (text) =>
        text.split('"').length % 2 === 1 &&
        text.trim() !== '' &&
        !/[\0,]/.test(text.replaceAll(/"[^"]*"/g, '')),
      {
        error: 'patterns as pg_dump has them, separated by spaces, with every double quote closed',
      },
    )
    .transform((text) => text.match(/(?:"(?:[^"]|"")*"|[^\s"])+/g) ?? []);

/** One of these words. */
export const oneOf =
  <const Values extends readonly [string, ...string[]]>(values: Values) =>
  (zod: Zod) =>
    zod.string().refine((text): text is Values[number] => values.includes(text), {
      error: `one of ${values.join(', ')}`,
    });
