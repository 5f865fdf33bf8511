import { expect, test } from 'vitest';
import type { Outcome } from '../../src/notify/outcome.ts';
import { slackMessage } from '../../src/notify/slack.ts';
import { backedUp } from '../support/backed-up.ts';
import { installation } from '../support/cli.ts';
import { sql, temporaryDatabase } from '../support/server.ts';
import { startWebhook } from '../support/slack.ts';

interface Message {
  readonly text: string;
  readonly blocks: { readonly text: { readonly text: string } }[];
}

const parse = (message: string | undefined) => JSON.parse(message ?? '') as Message;

test('a good backup is told with its file, size, content and duration', async () => {
  const database = await temporaryDatabase('CREATE TABLE t AS SELECT generate_series(1, 1500);');
  const { run } = await installation(database);
  const { url, messages } = await startWebhook();

  expect(await run(['backup'], { env: { SLACK_WEBHOOK_URL: url } })).toExitWith(0);

  expect(messages).toHaveLength(1);
  const { text, blocks } = parse(messages[0]);
  expect(text).toMatch(
    new RegExp(`^:white_check_mark: Backup of ${database} on 127.0.0.1:\\d+ is good`),
  );
  expect(blocks.map((block) => block.text.text)).toEqual([
    expect.stringContaining('is good'),
    expect.stringMatching(/^\*File:\* pratiko_backup_\d{8}_\d{6}\.sql\.gz$/),
    expect.stringMatching(/^\*Size:\* [\d.]+ kB$/),
    '*Content:* 1 table, 1,500 rows',
    expect.stringMatching(/^\*Duration:\* [\d.]+ s$/),
    '*Removed by retention:* 0 old backups',
  ]);
});

test('a failure is told once, with error and hint, and successes only if wanted', async () => {
  const { run } = await installation(await temporaryDatabase());
  const { url, messages } = await startWebhook();
  const env = { SLACK_WEBHOOK_URL: url, SLACK_NOTIFY: 'failure' };

  await run(['backup'], { env });
  expect(messages).toEqual([]);
  expect(await run(['backup'], { env: { ...env, POSTGRES_PORT: '1' } })).toMatchObject({
    exitCode: 13,
  });

  expect(messages).toHaveLength(1);
  expect(parse(messages[0]).text).toMatch(
    /^:x: Backup of .* FAILED\n\*Error:\* cannot connect to 127\.0\.0\.1:1: connection refused\n\*Hint:\* /,
  );
});

test('a command in its hint leads to the database of this run', async () => {
  const { run, database, directory } = await backedUp('CREATE TABLE t AS SELECT 1 AS a;');
  const { url, messages } = await startWebhook();
  await sql('postgres', `DROP DATABASE ${database};`);
  const env = { SLACK_WEBHOOK_URL: url };
  expect(await run(['backup'], { env })).toExitWith(13);
  expect(parse(messages[0]).text).toMatch(
    new RegExp(
      `\\*Hint:\\* if it was lost, \`pratiko-backup restore .*--backup-dir ${directory} .* --to ${database}\``,
    ),
  );
});

test("Slack's control characters are escaped and long texts cut", () => {
  const { text, blocks } = slackMessage({
    job: 'backup',
    outcome: 'failure',
    database: 'a<b>&c',
    done: {},
    failure: { kind: 'storage', message: '<!channel> '.repeat(1000), hint: undefined },
  });
  expect(text).toContain('a&lt;b&gt;&amp;c');
  expect(text).not.toContain('<!channel>');
  for (const block of blocks ?? []) expect(JSON.stringify(block).length).toBeLessThan(3000);
});

test('what became of a drill, of copies and of a prune begins with what matters', () => {
  const title = (job: Outcome['job'], outcome: Outcome['outcome']) =>
    slackMessage({ job, outcome, database: 'app', done: {} }).text;
  expect(title('drill', 'success')).toBe(
    ':white_check_mark: A backup of app was restored and compared',
  );
  expect(title('drill', 'incomplete')).toBe(':warning: A backup of app is not proven');
  expect(title('drill', 'failure')).toBe(':x: A backup of app is NOT PROVEN');
  expect(title('copy', 'success')).toBe(':white_check_mark: Backups of app are copied');
  expect(title('copy', 'incomplete')).toContain('safe, but not all are copied');
  expect(title('copy', 'failure')).toBe(':x: Backups of app are NOT COPIED');
  expect(title('prune', 'success')).toBe(':white_check_mark: Retention of app is done');
  expect(title('prune', 'incomplete')).toContain('done, but not of its copies');
  expect(title('prune', 'failure')).toBe(':x: Retention of app FAILED');
});
