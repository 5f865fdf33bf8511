import { z } from 'zod';
import { Failure } from '../../base/errors.ts';
import { formatPartialName } from '../../backup-directory/names.ts';
import {
  feed,
  outputOf,
  run,
  start,
  type CommandLine,
  type ProcessResult,
} from '../../base/subprocess.ts';
import {
  NotTheSame,
  Transient,
  type Destination,
  type SourceFile,
  type Stored,
  type StoredFile,
} from '../destination.ts';

const listing = z.array(z.object({ Name: z.string(), Size: z.number(), IsDir: z.boolean() }));

/** rclone's exit codes of what is not there (rclone.org/docs, "Exit code"). */
const notThere = [3, 4];

/** `rclone:REMOTE:PATH`: whatever the rclone of the user is set up for. */
export class RcloneDestination implements Destination {
  readonly url: string;
  readonly #remote: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #signal: AbortSignal;

  constructor(url: string, environment: Readonly<Record<string, string>>, signal: AbortSignal) {
    this.url = url;
    this.#remote = url.slice('rclone:'.length).replace(/\/+$/, '');
    this.#environment = environment;
    this.#signal = signal;
  }

  async list(): Promise<StoredFile[]> {
    const ending = await run(this.#command('lsjson', '--files-only', this.#remote), this.#signal);
    if (ending.exitCode !== undefined && notThere.includes(ending.exitCode)) return [];
    this.#requireDone(ending);
    return listing
      .parse(JSON.parse(ending.stdout))
      .filter(({ IsDir }) => !IsDir)
      .map(({ Name, Size }) => ({ name: Name, bytes: Size }));
  }

  async put(file: SourceFile): Promise<Stored> {
    const isNew = !(await this.list()).some(({ name }) => name === file.name);
    if (isNew) await this.#write(file);
    const found = await this.#checksumOf(file.name);
    if (found !== undefined && found !== file.sha256) {
      if (isNew) await this.remove(file.name);
      throw new NotTheSame(this.url, file.name);
    }
    return { isConfirmed: found !== undefined, isNew };
  }

  async *open(name: string): AsyncGenerator<Buffer> {
    const child = start(this.#command('cat', this.#path(name)), this.#signal);
    child.stdin.end();
    yield* outputOf(child);
    this.#requireDone(await child.ending);
  }

  async remove(name: string): Promise<void> {
    const ending = await run(this.#command('deletefile', this.#path(name)), this.#signal);
    if (ending.exitCode !== undefined && notThere.includes(ending.exitCode)) return;
    // Older ones (1.60) tell of a file that is not there as of any failure.
    const isThere = ending.exitCode === 0 || (await this.list()).some((file) => file.name === name);
    if (isThere) this.#requireDone(ending);
  }

  /** Some storages show what is being written. */
  async #write({ name, bytes, read }: SourceFile): Promise<void> {
    const partial = this.#path(formatPartialName(name));
    const command = this.#command('rcat', '--size', String(bytes), partial);
    const child = start(command, this.#signal);
    await feed(child, read());
    child.stdin.end();
    child.stdout.resume();
    this.#requireDone(await child.ending);
    this.#requireDone(await run(this.#command('moveto', partial, this.#path(name)), this.#signal));
  }

  /** Undefined where the storage keeps none. */
  async #checksumOf(name: string): Promise<string | undefined> {
    const ending = await run(this.#command('hashsum', 'sha256', this.#path(name)), this.#signal);
    if (ending.exitCode !== 0) return undefined;
    return /^[0-9a-f]{64}(?= )/.exec(ending.stdout)?.[0];
  }

  #path(name: string): string {
    return this.#remote.endsWith(':') ? `${this.#remote}${name}` : `${this.#remote}/${name}`;
  }

  #command(...args: readonly string[]): CommandLine {
    // Our attempts are ours: what has failed is read from the beginning.
    return { file: 'rclone', args: [...args, '--retries=1'], env: this.#environment };
  }

  #requireDone({ exitCode, stderr }: ProcessResult): void {
    this.#signal.throwIfAborted();
    if (exitCode === 0) return;
    if (exitCode === 126 || exitCode === 127) {
      throw new Failure('toolMissing', 'rclone cannot be started', {
        hint: 'install it: Debian and Ubuntu `sudo apt-get install rclone`, macOS `brew install rclone`',
      });
    }
    const said =
      stderr
        .split('\n')
        .at(-1)
        ?.replace(/^\S+ \S+ \w+ *: */, '') ?? '';
    const message = `rclone failed with ${this.#remote}: ${said}`;
    if (exitCode === 5) throw new Transient(message);
    throw new Failure('cannotConnect', message, {
      hint: `try it as the user who runs the backups: \`rclone lsf ${this.#remote}\``,
    });
  }
}
