import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatStamp } from '../../src/backup-directory/names.ts';

const day = 86_400_000;

/** Moves what there is into the past, as if so many days had gone by. */
export async function ageBy(directory: string, days: number): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.manifest.json'));
  for (const name of names) {
    const manifest = JSON.parse(await readFile(join(directory, name), 'utf8')) as {
      createdAt: string;
    };
    const made = new Date(new Date(manifest.createdAt).getTime() - days * day);
    const file = name.replace('.manifest.json', '.sql.gz');
    const to = join(directory, `pratiko_backup_${formatStamp(made)}`);
    const aged = { ...manifest, createdAt: made.toISOString() };
    await rename(join(directory, file), `${to}.sql.gz`);
    await writeFile(`${to}.manifest.json`, JSON.stringify(aged));
    await rm(join(directory, name));
  }
}
