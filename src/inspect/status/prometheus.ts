import { rowsOf } from './known.ts';
import type { Status } from './status.ts';

interface Metric {
  readonly name: string;
  readonly help: string;
  /** Undefined: there is nothing to tell. */
  readonly value: number | undefined;
}

/** What node_exporter's text-file collector reads (Prometheus exposition formats, text-based). */
export function formatMetrics(status: Status): string {
  const { lastGood, lastProof, copies, problems, facts } = status;
  const metrics: Metric[] = [
    {
      name: 'last_success_timestamp_seconds',
      help: 'When the last good backup was made.',
      value: lastGood && seconds(lastGood.madeAt),
    },
    { name: 'size_bytes', help: 'Size of the last good backup.', value: lastGood?.bytes },
    { name: 'rows', help: 'Rows in the last good backup.', value: lastGood && rowsOf(lastGood) },
    {
      name: 'duration_seconds',
      help: 'How long the last good backup took.',
      value: lastGood?.manifest && lastGood.manifest.durationMs / 1000,
    },
    {
      name: 'last_drill_timestamp_seconds',
      help: 'When a backup was last proven by restoring it.',
      value: lastProof && seconds(new Date(lastProof.at)),
    },
    {
      name: 'copies_missing',
      help: 'Good backups that a place for copies does not have.',
      value:
        copies.length === 0 ? undefined : Math.max(...copies.map(({ missing }) => missing.length)),
    },
    {
      name: 'healthy',
      help: 'Whether all is well: 1, or 0.',
      value: problems.length === 0 ? 1 : 0,
    },
  ];
  const label = escaped(facts.database);
  return metrics
    .flatMap(({ name, help, value }) =>
      value === undefined
        ? []
        : [
            `# HELP pratiko_backup_${name} ${help}`,
            `# TYPE pratiko_backup_${name} gauge`,
            `pratiko_backup_${name}{database="${label}"} ${value}`,
          ],
    )
    .map((line) => `${line}\n`)
    .join('');
}

const seconds = (moment: Date) => Math.floor(moment.getTime() / 1000);

const escaped = (value: string) =>
  value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
