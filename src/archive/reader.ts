import { Defect } from '../base/errors.ts';
import type { Watched } from '../base/step.ts';
import { DumpInspector, type DumpContents } from '../dump/contents.ts';
import { firstDifference } from '../base/table-rows.ts';
import type { Token } from '../dump/token.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import type { Keys } from '../encryption/keys.ts';
import { Checksum } from '../streams/checksum.ts';
import { decompressed, decrypted, readFileBytes } from './plain-sql.ts';

/** What a backup was found to be, read from the first to the last byte. */
export interface ArchiveReport {
  readonly contents: DumpContents;
  /** The checksum of the whole file; undefined where a defect kept it from being read to the end. */
  readonly sha256: string | undefined;
  /** Why it is not good, each a clause; none for a good backup. */
  readonly defects: readonly string[];
}

/** What a file is read with. */
export interface ReadAccess extends Watched {
  /** They open what is encrypted. */
  readonly keys: Keys;
}

export interface ReadOptions extends ReadAccess {
  /** A file without manifest need not prove that it is whole. */
  readonly unproven?: boolean | undefined;
  /** What is going on meanwhile, for people; without it, that the file is read. */
  readonly what?: string | undefined;
}

/**
 * Reads a backup once, from disk: takes its checksum, decrypts and decompresses it, and gives its tokens. A defect of
 * the file is reported, not thrown: the tokens just end there. Iterate it once, then see its `report`.
 * Iterating throws Failure `storage` where the file cannot be read, Locked where no key opens it.
 */
export class ArchiveReader implements AsyncIterable<Token> {
  readonly #file: BackupFile;
  readonly #options: ReadOptions;
  readonly #checksum = new Checksum();
  readonly #inspector: DumpInspector;
  #report: ArchiveReport | undefined;

  constructor(file: BackupFile, options: ReadOptions) {
    this.#file = file;
    this.#options = options;
    this.#inspector = new DumpInspector({ strict: file.condition !== 'unverified' });
  }

  /** What it holds and every reason why it is not good; undefined until its last token was taken. */
  get report(): ArchiveReport | undefined {
    return this.#report;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Token> {
    let defect: Defect | undefined;
    try {
      yield* this.#tokens();
    } catch (error) {
      if (!(error instanceof Defect)) throw error;
      defect = error;
    }
    const contents = this.#inspector.contents();
    const sha256 = defect === undefined ? this.#checksum.sha256() : undefined;
    const found = { contents, sha256 };
    const defects =
      defect === undefined
        ? findDefects(found, this.#file, this.#options.unproven ?? false)
        : [defect.message];
    this.#report = { ...found, defects };
  }

  async *#tokens(): AsyncGenerator<Token> {
    const { signal, keys, onStep, what = `reading ${this.#file.name}` } = this.#options;
    const bytes = this.#checksum.through(readFileBytes(this.#file, signal));
    const archive = decrypted(this.#file, bytes, keys);
    for await (const chunk of decompressed(this.#file, archive)) {
      yield* this.#inspector.read(chunk);
      onStep({
        what,
        bytes: this.#checksum.bytes,
        totalBytes: this.#file.bytes,
        table: this.#inspector.currentTable,
        rows: this.#inspector.rows,
      });
    }
    yield* this.#inspector.end();
  }
}

/** Reads a backup to its end and tells what was found. */
export async function checkArchive(file: BackupFile, options: ReadOptions): Promise<ArchiveReport> {
  const reader = new ArchiveReader(file, options);
  for await (const _ of reader);
  return reportOf(reader);
}

/** The report of a reader that was read to its end. */
export function reportOf({ report }: Pick<ArchiveReader, 'report'>): ArchiveReport {
  if (report === undefined) throw new Error('the archive was not read to its end');
  return report;
}

function findDefects(
  found: Pick<ArchiveReport, 'contents' | 'sha256'>,
  { manifest, condition }: BackupFile,
  unproven: boolean,
): string[] {
  const { isOnlyUnproven } = found.contents;
  const isAccepted = unproven && isOnlyUnproven && condition === 'unverified';
  // Its bytes are those that pg_dump wrote, which only we do not understand.
  const isOurs = manifest !== undefined && manifest.notUnderstood === found.contents.defect;
  const defect = isAccepted || isOurs ? undefined : found.contents.defect;
  const defects = defect === undefined ? [] : [defect];
  if (condition === 'unreadableManifest') return [...defects, 'its manifest cannot be read'];
  if (manifest === undefined) return defects;
  if (manifest.sha256 !== found.sha256) defects.push('checksum differs from the manifest');
  const difference = firstDifference(found.contents.tables, manifest.tables);
  if (difference !== undefined) defects.push(`rows differ from the manifest: ${difference}`);
  return defects;
}
