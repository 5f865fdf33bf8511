import { Failure } from '../base/errors.ts';
import { isCopyUrl } from '../config/values.ts';
import type { Context } from '../context.ts';

/** `--from-offsite [name]`, as commander gives it. */
export interface OffsiteFlag {
  readonly fromOffsite?: string | true;
}

export const fromOffsiteOption = [
  '--from-offsite [name]',
  'fetch a copy from OFFSITE_URL first (default: newest)',
] as const;

export interface FoundFile {
  readonly file: string | undefined;
  /** The roles of its server are beside it. */
  readonly hasRoles: boolean;
  /** The place from which it was fetched, as in OFFSITE_URL. */
  readonly from: string | undefined;
}

/**
 * The file that a command is to work on: one that lies elsewhere is fetched first, with the roles of its server.
 * @param file as it was given: a path, name or timestamp, or the URL of a copy.
 */
export async function fileOrCopy(
  file: string | undefined,
  { fromOffsite }: OffsiteFlag,
  { context, ...how }: { context: Context; waitSeconds: number; readsThere: boolean },
): Promise<FoundFile> {
  const isUrl = file !== undefined && isCopyUrl(file);
  if (fromOffsite === undefined && !isUrl) return { file, hasRoles: false, from: undefined };
  if (typeof fromOffsite === 'string' && file !== undefined) {
    throw new Failure('usage', 'give one backup, not two', {
      hint: '`--from-offsite NAME`, or the URL of the copy',
    });
  }
  const { fetchBackup } = await import('../copies/fetch.ts');
  const { path, hasRoles, from } = await fetchBackup(context, {
    called: typeof fromOffsite === 'string' ? fromOffsite : file,
    ...how,
  });
  return { file: path, hasRoles, from };
}
