import { Failure, type FailureKind } from '../base/errors.ts';
import { howItEnded, type ProcessResult } from '../base/subprocess.ts';
import { commandLabel } from '../config/command-label.ts';

/** The way through POSTGRES_EXEC to a program is not there, or broke. */
export class WayFailure extends Failure {
  /** By which name the server may still have a session of the program; undefined where it has none. */
  readonly session: string | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    { hint, session }: { hint: string; session?: string | undefined },
  ) {
    super(kind, message, { hint });
    this.session = session;
  }
}

type Words = readonly string[];

/** The command itself is not on this machine. */
export const missing = (words: Words): WayFailure =>
  new WayFailure('toolMissing', `${words[0] ?? ''}: no such command (POSTGRES_EXEC)`, {
    hint: /\s/.test(words[0] ?? '')
      ? 'it is all one word: take the inner quotes out'
      : 'is it spelled right, and installed? write its whole path where PATH does not lead to it (cron has /usr/bin:/bin)',
  });

/** A terminal on the way turns LF into CR LF: no byte of a dump would be safe. */
export const throughTerminal = (words: Words): WayFailure =>
  new WayFailure(
    'usage',
    `\`${commandLabel(words)}\` (POSTGRES_EXEC) goes through a terminal, which changes line ends: no dump passes it unharmed`,
    { hint: noTerminal },
  );

const noTerminal =
  'let it make none: `docker compose exec -T`, `docker exec -i` and `kubectl exec -i` without -t, `ssh -T`';

/** It is there and says nothing that we expect. */
export function unanswered(words: Words, seconds: number, said: string): WayFailure {
  const question = /[?:>]\s*$/.test(said);
  const what = question ? 'asks a question' : `did not answer within ${seconds} s`;
  const told = said === '' ? '' : `: ${lastLineOf(said)}`;
  return new WayFailure(
    'cannotConnect',
    `\`${commandLabel(words)}\` (POSTGRES_EXEC) ${what}${told}`,
    {
      hint: question
        ? 'nobody is there to answer it: use a key without passphrase or an agent (ssh), no password (sudo), and run it by hand once'
        : `is it too slow, or does it not lead to a \`sh\`? try it: \`${commandLabel(words)} psql --version\`; PGCONNECT_TIMEOUT gives it more time`,
    },
  );
}

const noInput = 'it does not pass its input on: `docker exec -i`, `kubectl exec -i`';

/** What programs say that have refused, and what to do about it; most specific first. */
const cures: readonly { readonly pattern: RegExp; readonly hint: string }[] = [
  { pattern: /not a (?:TTY|terminal)|allocate a TTY|pseudo-?tt?y/i, hint: noTerminal },
  {
    pattern: /unknown command: docker compose|is not a docker command|unknown (?:shorthand )?flag/i,
    hint: 'is the plugin installed (package docker-compose-plugin)? the old one is called `docker-compose exec -T`',
  },
  {
    pattern: /no such (?:service|container)|not found.*(?:pods?|deploy)/i,
    hint: 'POSTGRES_EXEC must name the service of the database (`docker compose ps --services`), or its container (`docker ps`)',
  },
  {
    pattern: /is not running|no container/i,
    hint: 'start it (`docker compose up -d`, with the -f of POSTGRES_EXEC), and look why it ended (`docker compose logs`)',
  },
  {
    pattern: /^sudo: /m,
    hint: 'let this user use docker without sudo (group docker), or allow it without a password (NOPASSWD in sudoers)',
  },
  {
    pattern: /sh: (?:0: )?(?:cannot|can't) open '?sh\b/i,
    hint: 'leave `sh` out of POSTGRES_EXEC: it is put behind it',
  },
  {
    pattern: /no configuration file|can't find a suitable configuration/i,
    hint: 'say where the project is: `docker compose -f /srv/app/docker-compose.yml exec -T db`',
  },
  {
    pattern: /docker daemon|docker\.sock/i,
    hint: 'is Docker running, and may this user use it (`docker ps`; group docker)?',
  },
  {
    pattern: /host key verification|authenticity of host/i,
    hint: 'connect once by hand as the user who runs this, so that the host is known',
  },
  {
    pattern: /permission denied \(|publickey|password/i,
    hint: 'it must let this user in without a question: a key without passphrase, or an agent; cron has no agent',
  },
  {
    pattern: /executable file not found|\bsh\b.*(?:not found|no such file)/i,
    hint: 'there must be a `sh` where it leads, as in every image of PostgreSQL',
  },
];

/** It has ended before anything ran at its other end. */
export function refused(words: Words, ending: ProcessResult, output: string): WayFailure {
  const told = `${output}\n${ending.stderr}`;
  const said = lastLineOf(told);
  const isSilent = said === '' && ending.exitCode === 0;
  const cure = isSilent ? noInput : cures.find(({ pattern }) => pattern.test(told))?.hint;
  return new WayFailure(
    'cannotConnect',
    `\`${commandLabel(words)}\` (POSTGRES_EXEC) ran nothing (${howItEnded(ending)})${said && `: ${said}`}`,
    { hint: cure ?? `try it by hand: \`${commandLabel(words)} psql --version\`` },
  );
}

/** It has ended, or was ended, while a program ran there. */
export function brokenOff(
  words: Words,
  program: string,
  ending: ProcessResult,
  session: string | undefined,
): WayFailure {
  const said = lastLineOf(ending.stderr);
  return new WayFailure(
    'cannotConnect',
    `\`${commandLabel(words)}\` (POSTGRES_EXEC) ended before ${program} did (${howItEnded(ending)})${said && `: ${said}`}`,
    {
      hint: 'is the way to the server steady, and the server still running? run it again',
      session,
    },
  );
}

/**
 * What a program wrote is not what arrived.
 * @param isWhole undefined: nothing there could tell.
 */
export const altered = (words: Words, program: string, isWhole: boolean | undefined): WayFailure =>
  isWhole === undefined
    ? new WayFailure(
        'toolMissing',
        `whether all that ${program} writes arrives through \`${commandLabel(words)}\` (POSTGRES_EXEC) cannot be told`,
        {
          hint: '`tee` and `cksum` must be there, as in every image of PostgreSQL (package coreutils)',
        },
      )
    : new WayFailure(
        'cannotConnect',
        `what ${program} wrote did not arrive as it was through \`${commandLabel(words)}\` (POSTGRES_EXEC)`,
        {
          hint: 'does the command, or what it starts (a profile, a background job), write to its output, too? silence it, and run this again',
        },
      );

/** Docker ends with where there is more help. */
const isAdvice = (line: string) => /^(?:Run|See) '/.test(line);

function lastLineOf(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.findLast((line) => line !== '' && !isAdvice(line)) ?? '';
}
