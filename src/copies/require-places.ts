import { Failure } from '../base/errors.ts';
import type { Config } from '../config/config.ts';

/**
 * The places of OFFSITE_URL.
 * @param instead what else a person can do, if there is something.
 * @throws Failure `usage` where there is none.
 */
export function requirePlaces({ offsite }: Config, instead = ''): readonly string[] {
  if (offsite.urls.length > 0) return offsite.urls;
  throw new Failure('usage', 'OFFSITE_URL is not set: there is no place for copies', {
    hint: `set it in .env: s3://bucket/prefix, file:///directory or rclone:REMOTE:PATH${instead}`,
  });
}
