import { InvalidArgumentError, Option, type Command } from 'commander';
import { Failure } from '../../base/errors.ts';
import { formatPlural } from '../../base/format.ts';
import { valueOf } from '../../base/known.ts';
import { keptResult } from '../../cli/kept-database.ts';
import { addConnectionOptions, settingsFrom, type ConnectionFlags } from '../../cli/options.ts';
import type { StatusResult } from '../../cli/status-results.ts';
import { addCommand, type CommandHelp } from '../../cli/help.ts';
import type { GlobalFlags, Terminal } from '../../cli/terminal.ts';
import type { Status } from '../../inspect/status/status.ts';

interface Flags extends GlobalFlags, ConnectionFlags {
  readonly maxAge: number;
  readonly prometheus?: true;
  readonly output?: string;
}

const hourMs = 3_600_000;

const help: CommandHelp = {
  does: 'tell in one glance whether all is well',
  examples: [
    'pratiko-backup status',
    'pratiko-backup status --max-age 2d --json',
    'pratiko-backup status --prometheus --output /srv/metrics/pratiko.prom',
  ],
  exitCodes: {
    done: 'all is well',
    usage: 'wrong options or settings',
    incomplete: 'not well: each reason is told, with what to do',
    storage: 'the file cannot be written (--output)',
  },
};

export function addStatusCommand(program: Command, shell: Terminal): void {
  const command = addCommand(program, 'status', help)
    .addOption(
      new Option('--max-age <age>', 'how old the last good backup may be: 26h, 90m, 2d')
        .argParser(age)
        .default(26 * hourMs, '26h'),
    )
    .option('--prometheus', 'print metrics for node_exporter')
    .option('--output <file>', 'write to this file, whole or not at all');
  addConnectionOptions(command).action(async (_flags: unknown, self: Command) => {
    const flags: Flags = self.optsWithGlobals();
    if (flags.prometheus && flags.json) {
      throw new Failure('usage', 'give --prometheus or --json, not both', {
        hint: '`pratiko-backup help status` shows examples',
      });
    }
    const context = await shell.open(flags, settingsFrom(flags));
    const { inspectStatus } = await import('../../inspect/status/inspect-status.ts');
    const { status, room, metrics } = await inspectStatus(
      context,
      flags.maxAge,
      shell.invocation(flags).options,
    );
    const result = resultOf(status, room);
    const { describeStatus } = await import('./text.ts');
    const text = flags.prometheus ? metrics.trimEnd() : describeStatus(status, room, shell.columns);
    if (flags.output === undefined) shell.result(result, text);
    else {
      const { writeWhole } = await import('../../inspect/status/write-whole.ts');
      await writeWhole(flags.output, `${flags.json ? JSON.stringify(result) : text}\n`);
    }
    const isTold = flags.output === undefined && !flags.prometheus;
    if (status.problems.length > 0) throw unhealthy(status, isTold);
  });
}

/** @param isTold the reasons stand on stdout. */
function unhealthy({ problems }: Status, isTold: boolean): Failure {
  const reasons = isTold
    ? formatPlural(problems.length, 'reason')
    : problems.map(({ message }) => message).join('; ');
  const hint = isTold ? 'each has its hint' : (problems[0]?.hint ?? '');
  return new Failure('incomplete', `not healthy: ${reasons}`, { hint });
}

function resultOf(status: Status, room: number | undefined): StatusResult {
  const { facts, lastGood, ageMs, lastRun, lastDrill, copies, held, problems } = status;
  const kept = valueOf(facts.kept);
  return {
    healthy: problems.length === 0,
    problems: problems.map((problem) => ({ ...problem })),
    database: facts.database,
    directory: facts.directory,
    backups: status.backups.length,
    lastGood: lastGood
      ? {
          name: lastGood.name,
          madeAt: lastGood.madeAt.toISOString(),
          ageMs: ageMs ?? 0,
          bytes: lastGood.bytes,
        }
      : null,
    maxAgeMs: status.maxAgeMs,
    lastRun: lastRun
      ? { at: lastRun.at, outcome: lastRun.outcome, message: lastRun.message ?? null }
      : null,
    nextRun: valueOf(facts.nextRun)?.toISOString() ?? null,
    lastDrill: lastDrill
      ? { at: lastDrill.at, outcome: lastDrill.outcome, backup: lastDrill.backup }
      : null,
    copies: copies.map(({ to, lastAt, missing, failure }) => ({
      to,
      lastAt: lastAt?.toISOString() ?? null,
      missing: [...missing],
      failure: failure ?? null,
    })),
    held: held.map(({ loss }) => loss),
    freeBytes: valueOf(facts.freeBytes) ?? null,
    roomFor: room ?? null,
    leftovers: [...(valueOf(facts.leftovers) ?? [])],
    previousDatabases: kept?.previous.map(keptResult) ?? null,
    rescuedDatabases: kept ? [...kept.rescued] : null,
    unknown: Object.entries(facts).flatMap(([what, known]: [string, unknown]) =>
      isUnknown(known) ? [{ what, why: known.unknown }] : [],
    ),
  };
}

const isUnknown = (known: unknown): known is { unknown: string } =>
  typeof known === 'object' && known !== null && 'unknown' in known;

const units: Readonly<Record<string, number>> = { m: 60_000, h: hourMs, d: 24 * hourMs };

function age(text: string): number {
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const ms = Number(count) * (units[unit] ?? 0);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('give minutes, hours or days, like 90m, 26h or 2d.');
}
