import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../base/errors.ts';
import { pick } from '../base/pick.ts';
import type { Watched } from '../base/step.ts';
import type { Destination } from './destination.ts';
import { DirectoryDestination } from './destinations/directory.ts';
import { RcloneDestination } from './destinations/rclone.ts';
import { S3Destination } from './destinations/s3.ts';
import { notElsewhere } from './files-elsewhere.ts';
import type { Context } from '../context.ts';

/** What rclone and the storages that it knows ask for; nothing of the database. */
const forRclone =
  /^(?:PATH|HOME|TMPDIR|SSH_AUTH_SOCK|XDG_\w+|(?:RCLONE|AWS|GOOGLE|AZURE|B2)_\w+|(?:https?|no|all)_proxy)$/i;

/**
 * The place for copies that a URL names. Nothing is connected yet.
 * @throws Failure `usage` where a URL of a directory is none.
 */
export function openDestination(
  url: string,
  { config, environment, ...watched }: Pick<Context, 'config' | 'environment' | keyof Watched>,
): Destination {
  const all = { ...config.settingsFile.values, ...environment };
  if (url.startsWith('file:')) {
    return new DirectoryDestination(url, directoryOf(url, config.backupDir), watched);
  }
  if (url.startsWith('s3:'))
    return new S3Destination({ url, environment: all, signal: watched.signal });
  const given = pick(all, (name) => forRclone.test(name));
  return new RcloneDestination(url, given, watched.signal);
}

function directoryOf(url: string, backupDir: string): string {
  const path = pathOf(url);
  if (canonical(path) !== canonical(backupDir)) return path;
  throw notElsewhere(url);
}

function canonical(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new Failure('usage', `${url} names no directory`, {
      hint: 'write file:///directory; a space in it is %20, a percent sign %25',
      cause: error,
    });
  }
}
