import { formatNames } from '../base/format.ts';
import { warning, type Finding } from './finding.ts';
import type { Situation } from './situation.ts';

/** So many names are told, at most. */
const named = 8;

/** What will be there without its contents, for they were left out of the backup on purpose. */
export function leftOutFindings({ file, facts }: Situation): Finding[] {
  const { tables = [], sequences = [] } = file.manifest?.leftOut ?? {};
  const present =
    facts.target === undefined
      ? ''
      : '; those that are there now stay in the database that is kept';
  const hint = `their rows were left out of this backup (BACKUP_EXCLUDE_TABLE_DATA)${present}`;
  return [
    ...(tables.length === 0
      ? []
      : [warning(`these tables will be empty: ${formatNames(tables, named)}`, hint)]),
    ...(sequences.length === 0
      ? []
      : [
          warning(
            `these sequences will begin anew: ${formatNames(sequences, named)}`,
            'they were left out of this backup (BACKUP_EXCLUDE_TABLE_DATA): set them with setval where other tables hold their numbers',
          ),
        ]),
  ];
}
