import { Defect, Failure } from '../base/errors.ts';
import { feed, outputOf, start, type ProcessResult } from '../base/subprocess.ts';
import { Locked } from './locked.ts';

/** How gpg is called. */
export interface Gpg {
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Nobody is asked anything, and what became of it is told in lines for programs (doc/DETAILS of GnuPG). */
const always = ['--batch', '--no-tty', '--quiet', '--status-fd=2'];

/**
 * Encrypts to a key as `gpg --encrypt` does; what comes in is compressed already.
 * @param recipient what gpg finds the key by.
 * @throws Failure `dumpFailed` where it does not encrypt, `toolMissing`.
 */
export async function* encryptWithGpg(
  chunks: AsyncIterable<Buffer>,
  recipient: string,
  gpg: Gpg,
): AsyncGenerator<Buffer> {
  const how = [
    '--trust-model=always',
    '--no-auto-key-locate',
    '--no-armor',
    '--compress-algo=none',
  ];
  const ending = yield* throughGpg([...how, '--encrypt', `--recipient=${recipient}`], chunks, gpg);
  if (ending.exitCode === 0) return;
  throw new Failure(
    'dumpFailed',
    `gpg cannot encrypt to BACKUP_GPG_RECIPIENT: ${refusal(ending)}`,
    {
      hint: 'see `gpg --list-keys` as the user who runs the backups (cron has another home than sudo); `gpg --import KEY.asc` adds a public key',
    },
  );
}

/**
 * Decrypts what gpg has encrypted. What it gives is authenticated only once it has ended without an error.
 * @throws Locked where gpg has no key for it, or cannot use it; Defect where it is cut off or altered; Failure
 *   `toolMissing`.
 */
export async function* decryptWithGpg(
  chunks: AsyncIterable<Buffer>,
  gpg: Gpg,
): AsyncGenerator<Buffer> {
  const ending = yield* throughGpg(['--decrypt'], chunks, gpg);
  const said = statusOf(ending);
  if (ending.exitCode === 0 && said.has('DECRYPTION_OKAY')) return;
  const isForKey = said.has('ENC_TO') || said.has('NEED_PASSPHRASE_SYM');
  // Before it decrypts, it tells how; before it uses a key of its own, which one.
  if (!isForKey || said.has('DECRYPTION_INFO')) {
    throw new Defect('its encrypted data is cut off or altered, says gpg');
  }
  throw said.has('KEY_CONSIDERED') || said.has('NEED_PASSPHRASE_SYM')
    ? new Locked('it is encrypted with gpg, which cannot use its key', {
        hint: 'unlock it first: `export GPG_TTY=$(tty); gpg --decrypt FILE > /dev/null` asks for its passphrase, which the agent then knows for a while',
        isWithoutKey: false,
      })
    : new Locked('it is encrypted with gpg, and its private key is not here', {
        hint: 'import it as the user who runs this: `gpg --import PRIVATE_KEY.asc`; `gpg --list-packets FILE` tells which one it needs',
        isWithoutKey: true,
      });
}

/** Sends chunks through gpg, and returns how it ended. It is killed where nobody wants the rest. */
async function* throughGpg(
  args: readonly string[],
  chunks: AsyncIterable<Buffer>,
  { environment, signal }: Gpg,
): AsyncGenerator<Buffer, ProcessResult> {
  const child = start({ file: 'gpg', args: [...always, ...args], env: environment }, signal);
  const fed = feed(child, chunks).then(() => child.stdin.end());
  fed.catch(() => undefined); // thrown where it is awaited
  try {
    yield* outputOf(child);
  } finally {
    child.stdin.destroy();
  }
  await fed;
  const ending = await child.ending;
  signal.throwIfAborted();
  if (ending.exitCode !== 126 && ending.exitCode !== 127) return ending;
  throw new Failure('toolMissing', 'gpg cannot be started', {
    hint: 'install it: Debian and Ubuntu `sudo apt-get install gnupg`, Fedora `sudo dnf install gnupg2`, macOS `brew install gnupg`',
  });
}

const statusLine = /^\[GNUPG:\] (\S+)/;

const statusOf = ({ stderr }: ProcessResult) =>
  new Set(stderr.split('\n').flatMap((line) => statusLine.exec(line)?.[1] ?? []));

/** What gpg says for people, without its name before each line. */
function refusal({ stderr, exitCode, signal }: ProcessResult): string {
  const said = stderr
    .split('\n')
    .filter((line) => line !== '' && !statusLine.test(line))
    .map((line) => line.replace(/^gpg: /, '').trim());
  return said.join('; ') || `it ended with ${signal ?? `exit code ${exitCode ?? ''}`}`;
}
