import { Failure } from '../base/errors.ts';
import { formatPlural } from '../base/format.ts';
import { spoken } from './selection/outline.ts';
import type { Definition } from './definition-digest.ts';
import type { DumpDigest } from './digest.ts';

export interface DigestComparison {
  /** What the second dump has not as the first one has it, each a clause for people. */
  readonly differences: readonly string[];
  /** How definitions were compared: by what they say, or by the objects that there are. */
  readonly definitionsBy: 'statement' | 'object';
  /** What could not be compared, each a clause for people. */
  readonly notCompared: readonly string[];
}

/** What pg_dump calls objects in other ways from version to version, or makes without being asked. */
const ofAVersion =
  /^(?:ACL|DEFAULT ACL|BLOBS?|BLOB METADATA|LARGE OBJECTS?|DATABASE|DATABASE PROPERTIES|STATISTICS DATA|TABLE DATA|SEQUENCE SET|SCHEMA public|COMMENT SCHEMA public|COMMENT - SCHEMA public)\b/;

/** @throws Failure `restoreFailed` for a dump whose rows cannot be compared with those of another. */
export function requireComparable(name: string, { inserts }: DumpDigest): void {
  if (inserts === 0) return;
  throw new Failure(
    'restoreFailed',
    `the rows of ${name} are INSERT statements, which cannot be compared`,
    { hint: 'restore it into a database beside (--to), and look at it; our own backups have COPY' },
  );
}

/**
 * Compares what was restored with the backup that it was restored from, which must be comparable.
 * @param ownership false: owners and privileges could not all be given, and are not compared.
 */
export function compareDigests(
  backup: DumpDigest,
  restored: DumpDigest,
  ownership: boolean,
): DigestComparison {
  const isSameMaker = backup.madeBy !== undefined && backup.madeBy === restored.madeBy;
  const reworded = isSameMaker ? rewordedIn(backup.definitions, restored.definitions) : [];
  return {
    differences: [
      ...tableDifferences(backup, restored),
      ...sequenceDifferences(backup, restored),
      ...largeObjectDifferences(backup, restored),
      ...(isSameMaker
        ? statementDifferences(backup.definitions, restored.definitions, ownership)
        : objectDifferences(backup.definitions, restored.definitions)),
    ],
    definitionsBy: isSameMaker ? 'statement' : 'object',
    notCompared: [
      ...reworded.map(
        (object) => `${object}, which the server writes with other casts or parentheses`,
      ),
      ...(ownership ? [] : ['owners and privileges, for roles of the backup are not here']),
    ],
  };
}

/** The tables of two dumps that do not hold the same rows, each a clause for people. */
function* tableDifferences(backup: DumpDigest, restored: DumpDigest): Generator<string> {
  for (const [table, { rows, digest }] of backup.tables) {
    const found = restored.tables.get(table);
    if (found === undefined) yield `table ${table} is missing (${formatPlural(rows, 'row')})`;
    else if (found.rows !== rows)
      yield `table ${table} has ${formatPlural(found.rows, 'row')} instead of ${formatPlural(rows, 'row')}`;
    else if (found.digest !== digest)
      yield `table ${table} has as many rows (${formatPlural(rows, 'row')}), but not the same`;
  }
  // A backup can define a table and leave out its rows.
  const defines = objectsOf(backup.definitions);
  for (const [table, { rows }] of restored.tables) {
    const isLeftOut = rows === 0 && defines.has(`TABLE ${spoken(table)}`);
    if (!backup.tables.has(table) && !isLeftOut) {
      yield `table ${table} is there, which the backup does not hold (${formatPlural(rows, 'row')})`;
    }
  }
}

function* sequenceDifferences(backup: DumpDigest, restored: DumpDigest): Generator<string> {
  for (const [sequence, value] of backup.sequences) {
    const found = restored.sequences.get(sequence);
    if (found === value) continue;
    yield found === undefined
      ? `sequence ${sequence} is missing`
      : `sequence ${sequence} is at ${describeValue(found)} instead of ${describeValue(value)}`;
  }
}

/** The arguments of setval: `5, false` has not given the 5 yet. */
const describeValue = (value: string) =>
  value.endsWith(', false')
    ? `${value.slice(0, -7)} (not yet given)`
    : value.replace(/, true$/, '');

function* largeObjectDifferences(backup: DumpDigest, restored: DumpDigest): Generator<string> {
  const [there, here] = [backup.largeObjects, restored.largeObjects];
  if (there.count !== here.count) {
    yield `there are ${formatPlural(here.count, 'large object')} instead of ${formatPlural(there.count, 'large object')}`;
  } else if (there.digest !== here.digest) {
    yield `the large objects (${there.count}) do not hold the same data`;
  }
}

type Definitions = ReadonlyMap<string, Definition>;

/** Objects of definitions that differ in casts and parentheses alone. */
function rewordedIn(backup: Definitions, restored: Definitions): string[] {
  const others = new Set(
    [...restored].flatMap(([key, each]) => (backup.has(key) ? [] : idOf(each))),
  );
  return [...backup].flatMap(([key, each]) =>
    !restored.has(key) && others.has(idOf(each)) ? [each.object] : [],
  );
}

const idOf = ({ object, meaning }: Definition) => `${object} ${meaning}`;

function* statementDifferences(
  backup: Definitions,
  restored: Definitions,
  ownership: boolean,
): Generator<string> {
  const compare = ownership ? withOwnership(backup) : withoutOwnership;
  const [lost, added] = [notIn(restored, backup, compare), notIn(backup, restored, compare)];
  for (const object of lost) {
    yield added.has(object) ? `${object} is not the same` : `${object} is missing`;
  }
  for (const object of added) {
    if (!lost.has(object)) yield `${object} is there, which the backup does not have`;
  }
}

/** Owners and privileges of a dump without any (`--no-owner`) are not compared. */
const withOwnership = (backup: Definitions) =>
  [...backup.values()].some(({ isOwnership }) => isOwnership) ? () => true : withoutOwnership;

const withoutOwnership = ({ isOwnership }: Definition) => !isOwnership;

/** The objects of definitions that the other side does not have, or not so often. */
function notIn(
  other: Definitions,
  one: Definitions,
  counts: (definition: Definition) => boolean,
): Set<string> {
  const objects = new Set<string>();
  const meanings = new Set([...other].flatMap(([key, each]) => (one.has(key) ? [] : idOf(each))));
  for (const [key, definition] of one) {
    const isReworded = !other.has(key) && meanings.has(idOf(definition));
    if (counts(definition) && !isReworded && definition.count !== other.get(key)?.count) {
      objects.add(definition.object);
    }
  }
  return objects;
}

function* objectDifferences(backup: Definitions, restored: Definitions): Generator<string> {
  const [wanted, found] = [objectsOf(backup), objectsOf(restored)];
  for (const object of wanted) if (!found.has(object)) yield `${object} is missing`;
}

const objectsOf = (definitions: Definitions) =>
  new Set(
    [...definitions.values()]
      .filter(({ isOwnership, object }) => !isOwnership && !ofAVersion.test(object))
      .map(({ object }) => object),
  );
