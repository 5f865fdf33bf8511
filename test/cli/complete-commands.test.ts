import { expect, test } from 'vitest';
import { completeCommands } from '../../src/cli/complete-commands.ts';

const place = {
  directory: { '--config': '/etc/crm.env', '--backup-dir': undefined },
  connection: { '--host': undefined, '--port': '5434', '--username': undefined, '--to': 'c r m' },
};

test.each([
  ['make one: `pratiko-backup backup`', 'backup --config /etc/crm.env --port 5434 --dbname'],
  [
    '`pratiko-backup restore --undo`',
    "restore --undo --config /etc/crm.env --port 5434 --to 'c r m'`",
  ],
  ['`pratiko-backup restore x --to NEW`', 'restore x --to NEW --config /etc/crm.env --port 5434`'],
  ['`pratiko-backup verify --all`', 'verify --all --config /etc/crm.env`'],
  ['`pratiko-backup list --config /other`', 'list --config /other`'],
  [
    '`pratiko-backup copy && pratiko-backup prune`',
    'copy --config /etc/crm.env && pratiko-backup prune --config /etc/crm.env`',
  ],
])('%s is met where this run works', (hint, wanted) => {
  const shown = completeCommands(hint, place);
  expect(shown).toContain(`pratiko-backup ${wanted}`);
  expect(completeCommands(shown, place)).toBe(shown);
});

test.each([
  'pratiko-backup is not a command outside of quotes: pratiko-backup backup',
  '`pratiko-backup help restore` and `pratiko-backup --version`',
  '`restore --undo` brings it back; `pratiko-backup_x`',
])('%s stays as it is', (hint) => {
  expect(completeCommands(hint, place)).toBe(hint);
});
