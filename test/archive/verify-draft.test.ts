import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checksumOfFile } from '../../src/archive/file-checksum.ts';
import { readFileBytes } from '../../src/archive/plain-sql.ts';
import { verifyDraft } from '../../src/archive/verify-draft.ts';
import type { Written } from '../../src/archive/writer.ts';
import type { Draft } from '../../src/backup-directory/draft.ts';
import { Defect } from '../../src/base/errors.ts';
import { collect } from '../../src/base/chunks.ts';
import { DumpInspector } from '../../src/dump/contents.ts';
import { temporaryDirectory } from '../support/cli.ts';

const watched = { signal: new AbortController().signal, onStep: () => undefined };

function contentsOf(rows: string) {
  const inspector = new DumpInspector();
  const dump = `COPY public.t (a) FROM stdin;\n${rows}\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n`;
  for (const _ of inspector.read(Buffer.from(dump)));
  for (const _ of inspector.end());
  return inspector.contents();
}

describe('a new backup is not good', () => {
  const bytes = Buffer.from('what was written');
  const contents = contentsOf('1\n2\n');
  const good: Written = {
    contents,
    decompressed: contents,
    warnings: [],
    fileBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    durationMs: 1,
  };

  async function verifying(written: Partial<Written>) {
    const path = join(await temporaryDirectory(), 'partial');
    await writeFile(path, bytes);
    return verifyDraft({ path } as Draft, { ...good, ...written }, watched);
  }

  test.each<[string, Partial<Written>, string]>([
    [
      'on the disk are other bytes',
      { sha256: '0'.repeat(64) },
      'the file holds other bytes than were written',
    ],
    [
      'it does not decompress',
      { decompressed: new Defect('a block is not what its checksum says') },
      'a block is not what its checksum says',
    ],
    [
      'it decompresses to less',
      { decompressed: contentsOf('1\n') },
      'it decompresses to another length',
    ],
    [
      'it decompresses to as much, with another end',
      { decompressed: { ...contents, defect: 'the dump was cut inside a statement' } },
      'the dump was cut inside a statement',
    ],
    [
      'it decompresses to as much, of other tables',
      { decompressed: { ...contentsOf('123\n'), bytes: contents.bytes } },
      'public.t',
    ],
  ])('where %s', async (_, written, defect) => {
    await expect(verifying({})).resolves.toBeUndefined();
    await expect(verifying(written)).rejects.toThrow(
      `the new backup is not good and was removed: ${defect}`,
    );
  });
});

test('what cannot be read is an error of the disk, with its path', async () => {
  const path = await temporaryDirectory();
  const message = `cannot read ${path}`;
  const file = { path, bytes: 1 };
  await expect(checksumOfFile(file, 'reading', watched)).rejects.toThrow(message);
  await expect(collect(readFileBytes(file, watched.signal))).rejects.toThrow(message);
});
