import { expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import { IncompleteBackup, LaterSteps } from '../../src/backup/later-steps.ts';
import { failedOutcome } from '../../src/notify/outcome.ts';
import { slackMessage } from '../../src/notify/slack.ts';

const { signal } = new AbortController();

function incomplete(later: LaterSteps, warning?: string): IncompleteBackup {
  try {
    later.requireAll('pratiko_backup_20251129_020000.sql.gz', warning);
  } catch (error) {
    if (error instanceof IncompleteBackup) return error;
  }
  throw new Error('expected an IncompleteBackup');
}

test('steps that are done leave nothing to tell', async () => {
  const later = new LaterSteps(signal);
  expect(await later.try('not done', 'do it', () => Promise.resolve(7))).toBe(7);
  later.requireAll('pratiko_backup_20251129_020000.sql.gz', 'look at it');
});

test('one that fails does not keep the next from being done; all are told, with what to do', async () => {
  const later = new LaterSteps(signal);
  const done: string[] = [];
  await later.try('the first is not done', 'do it by hand', () =>
    Promise.reject(new Failure('storage', 'disk full', { hint: 'free some space' })),
  );
  await later.try('never told', 'never told', () => Promise.resolve(done.push('second')));
  await later.try('the third is not done', 'see why', () => Promise.reject(new Error('odd')));
  expect(done).toEqual(['second']);
  expect(incomplete(later)).toMatchObject({
    exitCode: 3,
    message:
      'the backup is safe, but the first is not done: disk full; and the third is not done: odd',
    hint: 'free some space; do it by hand; see why',
  });
});

test('what a person should look at is told with it', async () => {
  const later = new LaterSteps(signal);
  await later.try('not done', 'do it', () => Promise.reject(new Error('odd')));
  const error = incomplete(later, 'it holds 0 rows; before it held 31');
  const { text } = slackMessage({
    ...failedOutcome('backup', 'app on db:5432', error),
    warning: error.warning,
  });
  expect(text).toBe(
    ':warning: Backup of app on db:5432 is safe, but a later step failed\n' +
      '*Error:* the backup is safe, but not done: odd\n' +
      '*Look:* it holds 0 rows; before it held 31\n*Hint:* do it',
  );
});

test('an interruption is no failure of a step', async () => {
  const controller = new AbortController();
  const later = new LaterSteps(controller.signal);
  const step = later.try('not done', 'do it', () => {
    controller.abort(new Error('interrupted'));
    return Promise.reject(new Error('aborted'));
  });
  await expect(step).rejects.toThrow('interrupted');
});
