import type { BackupFile } from '../backup-directory/backup.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { lineBreaksOf } from '../base/text.ts';
import { chooseTables, type Choice } from '../dump/selection/choose.ts';
import { StatementFilter } from '../dump/selection/filter.ts';
import { matchTables } from '../dump/selection/match.ts';
import { DumpOutline, readTableStatement } from '../dump/selection/outline.ts';
import type { Token } from '../dump/token.ts';
import { ArchiveReader, reportOf, type ArchiveReport, type ReadOptions } from './reader.ts';

/** A backup, or a part of it, that is read once; its report is there when it was read to its end. */
export interface DumpReader extends AsyncIterable<Token> {
  readonly report: ArchiveReport | undefined;
}

/**
 * Reads a backup for what some of its tables need.
 * @param patterns as people call tables: `knowledge_items`, `public.*`.
 * @throws Failure `usage` for a pattern that matches none; `verificationFailed` where the file is not good.
 */
export async function chooseFrom(
  file: BackupFile,
  patterns: readonly string[],
  options: ReadOptions,
): Promise<Choice> {
  const outline = new DumpOutline();
  const reader = new ArchiveReader(file, options);
  for await (const token of reader) outline.read(token);
  const created = outline.definitions.flatMap(({ text }) => readTableStatement(text).creates ?? []);
  const report = reportOf(reader);
  return chooseTables(outline, matched(file, patterns, created, report));
}

/** A table that is not there may be in the part of the file that is not. */
function matched(
  { name }: BackupFile,
  patterns: readonly string[],
  tables: readonly string[],
  { defects }: ArchiveReport,
): Set<string> {
  try {
    return matchTables(patterns, tables);
  } catch (error) {
    if (defects.length === 0) throw error;
    throw new Failure('verificationFailed', `${name} is not good: ${defects.join('; ')}`, {
      hint: `in what could be read of it, ${messageOf(error)}; \`pratiko-backup list\` shows other backups`,
      cause: error,
    });
  }
}

/** Opens a backup; with a choice, nothing is seen of what was not chosen but its line breaks. */
export function openDump(file: BackupFile, options: ReadOptions, choice?: Choice): DumpReader {
  const reader = new ArchiveReader(file, options);
  return choice === undefined ? reader : new SelectedReader(reader, choice);
}

class SelectedReader implements DumpReader {
  readonly #reader: ArchiveReader;
  readonly #choice: Choice;

  constructor(reader: ArchiveReader, choice: Choice) {
    this.#reader = reader;
    this.#choice = choice;
  }

  get report(): ArchiveReport | undefined {
    const { report } = this.#reader;
    if (report === undefined) return undefined;
    const tables = report.contents.tables.filter(({ table }) => this.#choice.tables.has(table));
    return { ...report, contents: { ...report.contents, tables } };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Token> {
    // The lines of the file stay what they are: errors tell them.
    const filter = new StatementFilter(this.#choice.selection, (bytes) => [
      { type: 'filler', bytes: lineBreaksOf(bytes) },
    ]);
    for await (const token of this.#reader) yield* filter.read(token);
    yield* filter.end();
  }
}
