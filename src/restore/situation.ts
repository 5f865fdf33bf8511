import type { DumpHeader } from '../archive/header.ts';
import type { BackupFile } from '../backup-directory/backup.ts';
import type { LargerBackup } from './larger-backups.ts';
import type { LiveRows } from './comparison.ts';
import type { StoredRoles } from '../dump/globals.ts';
import type { ServerFacts } from './server-facts.ts';

/** What is known before anything is done. */
export interface Situation {
  readonly file: BackupFile;
  readonly head: DumpHeader;
  readonly target: string;
  /** Where the dump is loaded first. */
  readonly scratch: string;
  readonly facts: ServerFacts;
  readonly psqlVersion: string;
  /** Older backups that hold much more, newest first. */
  readonly larger: readonly LargerBackup[];
  /** Room on the disk of the server's data; undefined where we cannot know. */
  readonly freeBytes: number | undefined;
  /** The second, for the names that it will give: `20251129_140000`. */
  readonly stamp: string;
  /** Tells apart what begins in the same second: four hexadecimal digits. */
  readonly nonce: string;
  /** Only some tables are restored. */
  readonly isPart: boolean;
  /** The roles stored beside the backup; undefined where there are none. */
  readonly stored: StoredRoles | undefined;
  /** Those that the server does not have are wanted. */
  readonly globals: boolean;
  /** They will be created: it was not tried yet, and the user may. */
  readonly createsRoles: boolean;
  readonly owners: boolean;
  readonly privileges: boolean;
  readonly dropOld: boolean;
  readonly force: boolean;
  readonly skipRefused: boolean;
  /** Rows of the present database, about; undefined where there is none or nobody may ask. */
  readonly live: readonly LiveRows[] | undefined;
}
