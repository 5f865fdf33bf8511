import { fileURLToPath } from 'node:url';
import type { Destination } from './destination.ts';
import { DirectoryDestination } from './destinations/directory.ts';
import { RcloneDestination } from './destinations/rclone.ts';
import { S3Destination } from './destinations/s3.ts';
import type { Context } from '../context.ts';

const forRclone = /^(?:PATH|HOME|XDG_CONFIG_HOME|(?:RCLONE|AWS)_\w+)$/;

/**
 * The place for copies that a URL names. Nothing is connected yet.
 * @param url one of OFFSITE_URL, of which the settings have seen that it is one.
 */
export function openDestination(
  url: string,
  { config, environment, signal }: Pick<Context, 'config' | 'environment' | 'signal'>,
): Destination {
  const all = { ...config.settingsFile.values, ...environment };
  if (url.startsWith('file:')) return new DirectoryDestination(url, fileURLToPath(url), signal);
  if (url.startsWith('s3:')) return new S3Destination({ url, environment: all, signal });
  const given = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && forRclone.test(entry[0]),
  );
  return new RcloneDestination(url, Object.fromEntries(given), signal);
}
