import { link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checksumOfFile } from '../../archive/file-checksum.ts';
import { readFileBytes } from '../../archive/plain-sql.ts';
import { Failure, systemErrorCode } from '../../base/errors.ts';
import type { Watched } from '../../base/step.ts';
import { requireDirectory } from '../../backup-directory/directory.ts';
import { createPrivateFile, syncDirectory } from '../../backup-directory/durable-file.ts';
import { formatPartialName } from '../../backup-directory/names.ts';
import { storageFailure } from '../../backup-directory/storage-failure.ts';
import {
  NotTheSame,
  type Destination,
  type SourceFile,
  type Stored,
  type StoredFile,
} from '../destination.ts';

/** `file:///mnt/nas/pratiko`: a directory that must be there, for its disk may not be mounted. */
export class DirectoryDestination implements Destination {
  readonly url: string;
  readonly #path: string;
  readonly #watched: Watched;

  constructor(url: string, path: string, watched: Watched) {
    this.url = url;
    this.#path = path;
    this.#watched = watched;
  }

  async list(): Promise<StoredFile[]> {
    await requireDirectory(this.#path, 'directory for copies');
    const entries = await this.#or('read', readdir(this.#path, { withFileTypes: true }));
    const files = entries.filter((entry) => entry.isFile());
    const found = await Promise.all(files.map(({ name }) => this.#sizeOf(name)));
    // One comes and goes; all of them do where its disk is unmounted just now.
    if (found.includes(undefined)) await requireDirectory(this.#path, 'directory for copies');
    return found.filter((file) => file !== undefined);
  }

  async put(file: SourceFile): Promise<Stored> {
    await requireDirectory(this.#path, 'directory for copies');
    const path = join(this.#path, file.name);
    if ((await this.#sizeOf(file.name)) !== undefined) return this.#requireSame(file);
    const partial = join(this.#path, formatPartialName(file.name));
    try {
      await this.#write(partial, file);
      if ((await this.#checksumOf({ ...file, path: partial })) !== file.sha256) {
        throw new NotTheSame(this.url, formatPartialName(file.name));
      }
      await this.#or('write to', giveName(partial, path));
    } finally {
      await rm(partial, { force: true }).catch(() => undefined); // the next run removes it
    }
    await this.#or('write to', syncDirectory(this.#path));
    return { isConfirmed: true, isNew: true };
  }

  open(name: string): AsyncIterable<Buffer> {
    return readFileBytes({ path: join(this.#path, name) }, this.#watched.signal);
  }

  async remove(name: string): Promise<void> {
    await this.#or('remove files of', rm(join(this.#path, name), { force: true }));
    await this.#or('remove files of', syncDirectory(this.#path));
  }

  async #write(partial: string, file: SourceFile): Promise<void> {
    await this.#or('write to', rm(partial, { force: true }));
    const handle = await this.#or('write to', createPrivateFile(partial));
    try {
      for await (const chunk of file.read()) {
        this.#watched.signal.throwIfAborted();
        await this.#or('write to', handle.writeFile(chunk));
      }
      await this.#or('write to', handle.sync());
    } finally {
      await handle.close();
    }
  }

  #checksumOf(file: StoredFile & { readonly path: string }): Promise<string> {
    return checksumOfFile(file, `comparing ${file.name} (${this.url})`, this.#watched);
  }

  async #requireSame(file: SourceFile): Promise<Stored> {
    const { name, sha256 } = file;
    const stored = (await this.#sizeOf(name)) ?? file;
    const found = await this.#checksumOf({ ...stored, path: join(this.#path, name) });
    if (found === sha256) return { isConfirmed: true, isNew: false };
    throw new NotTheSame(this.url, name);
  }

  /** Undefined where it is not there: what others are writing comes and goes. */
  async #sizeOf(name: string): Promise<StoredFile | undefined> {
    try {
      return { name, bytes: (await stat(join(this.#path, name))).size };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw this.#failure('read', error);
    }
  }

  async #or<Value>(verb: string, work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      this.#watched.signal.throwIfAborted();
      throw this.#failure(verb, error);
    }
  }

  #failure(verb: string, error: unknown): Failure {
    const { message } = storageFailure(`${verb} ${this.#path}`, error);
    return new Failure('storage', message, {
      hint: 'look at that disk (`df`, `ls -ld`), or let copies go elsewhere (OFFSITE_URL)',
      cause: error,
    });
  }
}

/** File systems without links cannot refuse to give a name twice; it was looked just before. */
async function giveName(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') throw error;
    await rename(partial, path);
  }
}
