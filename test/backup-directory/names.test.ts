import fc from 'fast-check';
import { encryptions, type Encryption } from '../../src/base/encryption.ts';
import { expect, test } from 'vitest';
import {
  dayOf,
  formatBackupName,
  formatStamp,
  momentOf,
  parseBackupName,
  parsePartialName,
  parseStamp,
} from '../../src/backup-directory/names.ts';

const moments = fc.date({
  min: new Date('1971-01-01'),
  max: new Date('9998-12-31'),
  noInvalidDate: true,
});

test('a name gives back the stamp it was made from', () => {
  fc.assert(
    fc.property(moments, (moment) => {
      const stamp = formatStamp(moment);
      for (const encryption of [undefined, ...encryptions]) {
        const name = { stamp, encryption };
        expect(parseBackupName(formatBackupName(name))).toEqual(name);
      }
      expect(formatStamp(momentOf(stamp))).toBe(stamp);
    }),
  );
});

test('later stamps sort later, and a day is a day', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1971, max: 9998 }),
      fc.integer({ min: 0, max: 364 }),
      (year, day) => {
        const noon = (offset: number) => formatStamp(new Date(year, 0, 1 + day + offset, 12));
        expect(noon(0) < noon(1)).toBe(true);
        expect(dayOf(noon(1)) - dayOf(noon(0))).toBe(1);
      },
    ),
  );
});

test('the form is local time', () => {
  const stamp = formatStamp(new Date(2025, 10, 29, 2, 0, 7));
  const name = (encryption?: Encryption) => formatBackupName({ stamp, encryption });
  expect(name()).toBe('pratiko_backup_20251129_020007.sql.gz');
  expect(name('age')).toBe('pratiko_backup_20251129_020007.sql.gz.age');
  expect(name('gpg')).toBe('pratiko_backup_20251129_020007.sql.gz.gpg');
});

test.each([
  'pratiko_backup_20251329_020000.sql.gz',
  'pratiko_backup_20250229_020000.sql.gz',
  'pratiko_backup_20251129_240000.sql.gz',
  'pratiko_backup_20251129_020060.sql.gz',
  'pratiko_backup_20251129_02000.sql.gz',
  'pratiko_backup_20251129-020000.sql.gz',
  'pratiko_backup_20251129_020000.sql',
  'pratiko_backup_20251129_020000.sql.gz.bak',
  'pratiko_backup_20251129_020000.sql.gz.asc',
  'pratiko_backup_20251129_020000.sql.age',
  'pratiko_backup_20251129_020000.sql.gz.age.age',
  'pratiko_backup_20251129_020000.sql.gz\n',
  'pratiko_backup_２０２５1129_020000.sql.gz',
  'Pratiko_backup_20251129_020000.sql.gz',
  '.pratiko_backup_20251129_020000.sql.gz.partial',
  'xpratiko_backup_20251129_020000.sql.gz',
  'pratiko_backup_latest.sql.gz',
])('%s is not the name of a backup', (name) => {
  expect(parseBackupName(name)).toBeUndefined();
});

test('partial files of backups and manifests are known', () => {
  const stamp = parseStamp('20251129_020000');
  expect(parsePartialName('.pratiko_backup_20251129_020000.sql.gz.partial')).toBe(stamp);
  expect(parsePartialName('.pratiko_backup_20251129_020000.manifest.json.partial')).toBe(stamp);
  expect(parsePartialName('.pratiko_backup_20251129_020000.sql.gz.age.partial')).toBe(stamp);
  expect(parsePartialName('.pratiko_backup_20251129_020000.globals.sql.gpg.partial')).toBe(stamp);
  expect(parsePartialName('.pratiko_backup_20251129_020000.sql.gz.partial2')).toBeUndefined();
});
