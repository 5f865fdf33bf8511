import type { DetailsResult } from '../../cli/inside-results.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { Context } from '../../context.ts';
import { describeDetails } from './details-text.ts';

/** `list FILE`: what is inside it. */
export async function showOne(context: Context, shell: Terminal, file: string): Promise<void> {
  const { detailsOf } = await import('../../inspect/details.ts');
  const details = await detailsOf(context, file);
  if (details.defects.length > 0) {
    context.log.warn(
      { hint: 'what is shown is what could be read of it; `pratiko-backup verify` reads another' },
      `${details.file.name} is not good: ${details.defects.join('; ')}`,
    );
  }
  const { file: found, dumpBytes, serverVersion, before } = details;
  const { manifest } = found;
  const result: DetailsResult = {
    name: found.name,
    path: found.path,
    bytes: found.bytes,
    dumpBytes,
    database: manifest?.database.name ?? null,
    createdAt: manifest?.createdAt ?? null,
    durationMs: manifest?.durationMs ?? null,
    serverVersion: serverVersion ?? null,
    pgDumpVersion: manifest?.pgDumpVersion ?? null,
    toolVersion: manifest?.toolVersion ?? null,
    label: manifest?.label ?? null,
    leftOut: manifest?.leftOut ?? null,
    tables: [...details.tables],
    extensions: [...details.extensions],
    roles: [...details.roles],
    defects: [...details.defects],
    before: before ?? null,
    changes: details.changes.filter(({ before: then, now }) => then !== now),
  };
  shell.result(result, describeDetails(details, context.now(), shell.columns));
}
