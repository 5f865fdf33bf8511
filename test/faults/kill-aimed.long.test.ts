import { describe, expect, test } from 'vitest';
import { launch } from '../support/launch.ts';
import { expectRecovery, prepared } from '../support/aged-backups.ts';
import { hasStrace, inject } from '../support/strace.ts';

describe.runIf(hasStrace)('kill -9 aimed at', () => {
  test.each([
    ['fsync', 1, 'the dump is complete but not synced'],
    ['fsync', 2, 'the manifest is written but not synced'],
    ['rename', 1, 'the manifest gets its name'],
    ['fsync', 3, 'the directory is synced with the manifest'],
    ['rename', 2, 'the backup gets its name'],
    ['fsync', 4, 'the directory is synced with the backup'],
    ['symlink', 1, 'the new link is made'],
    ['rename', 3, 'the new link replaces the old one'],
    ['fsync', 5, 'the directory is synced with the link'],
    ['unlink', 1, 'retention removes a manifest'],
    ['unlink', 2, 'retention removes a backup'],
    ['fsync', 6, 'the directory is synced without it'],
    ['unlink', 3, 'the lock is freed'],
  ])('%s %d: %s', async (call, when) => {
    const made = await prepared();
    const { signal } = await launch(['backup'], made.env, inject(call, 'signal=KILL', when));
    expect(signal).toBe('SIGKILL');
    await expectRecovery(made);
  });
});
