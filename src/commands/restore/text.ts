import { quoteIdentifier } from '../../base/sql.ts';
import { totalRows } from '../../base/table-rows.ts';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatPlural,
} from '../../base/format.ts';
import type { Log } from '../../base/log.ts';
import { psqlCommand } from '../../config/place.ts';
import type { Context } from '../../context.ts';
import type { RestoreReport } from '../../restore/restore.ts';
import type { Finding } from '../../restore/finding.ts';
import type { RestorePlan } from '../../restore/plan.ts';
import type { UndoPlan } from '../../restore/undo-plan.ts';
import { describeBytes, describeKept } from '../../cli/kept-database.ts';

/** What a restore is going to do, before a person agrees. */
export function announcePlan(plan: RestorePlan, log: Log, now: Date): void {
  const { file, target, findings } = plan;
  const { manifest } = file;
  log.info(`restoring ${describeFile(plan, now)}`);
  if (manifest !== undefined && manifest.database.name !== target) {
    log.warn(`this is a backup of database "${manifest.database.name}", not of "${target}"`);
  }
  // What matters most comes last: it stands next to the question.
  warnOf(findings, log, ['note']);
  for (const line of describeRoles(plan)) log.info(line);
  for (const line of describeClients(plan)) log.info(line);
  for (const line of describeComparison(plan)) log.info(line);
  warnOf(findings, log, ['warning']);
}

/** What is done once a person agrees, in its order. */
export function announceSteps(plan: RestorePlan, dropOld: boolean, log: Log): void {
  for (const line of describeSteps(plan, dropOld)) log.info(line);
}

function describeSteps({ target, previous }: RestorePlan, dropOld: boolean): string[] {
  if (previous === undefined) {
    return [
      '1. it is loaded into a new database, and every row is counted',
      `2. that becomes "${target}", which does not exist yet`,
    ];
  }
  return [
    `1. it is loaded beside "${target}", and every row is counted; until then it stays as it is`,
    `2. sessions of "${target}" are ended, and the two are swapped at once`,
    dropOld
      ? '3. when that is done, the present one is dropped (--drop-old)'
      : `3. the present one is kept as "${target}_before_…", and \`restore --undo\` brings it back`,
  ];
}

function describeRoles({ missing: { roles, memberships } }: RestorePlan): string[] {
  const members = memberships.map(({ role, member }) => `"${member}" of "${role}"`);
  return [
    ...(roles.size === 0 ? [] : [`roles that will be created: ${[...roles.keys()].join(', ')}`]),
    ...(members.length === 0 ? [] : [`memberships that will be given: ${members.join(', ')}`]),
  ];
}

/** So many lines of a list, at most. */
const maxLines = 8;

function describeClients({ clients, target }: RestorePlan): string[] {
  if (clients.length === 0) return [];
  const who = clients
    .slice(0, maxLines)
    .map(
      ({ user, application, sessions }) =>
        `${user} (${application || 'unnamed'}, ${formatPlural(sessions, 'session')})`,
    );
  return [`connected to "${target}" now, until they are ended at the swap: ${who.join(', ')}`];
}

function describeComparison({ comparison, target }: RestorePlan): string[] {
  if (comparison === undefined) return [];
  const { live, backup, fewer } = comparison;
  const lines = fewer
    .slice(0, maxLines)
    .map(({ table, live: now, backup: then }) =>
      then === null
        ? `  ${table}: about ${formatPlural(now, 'row')} now, not in the backup`
        : `  ${table}: about ${formatPlural(now, 'row')} now, ${formatCount(then)} in the backup`,
    );
  const more = fewer.length - lines.length;
  return [
    `rows: about ${formatCount(live)} in "${target}" now, ${formatCount(backup)} in the backup${fewer.length === 0 ? '' : '; fewer in:'}`,
    ...lines,
    ...(more > 0 ? [`  and in ${formatPlural(more, 'more table')}`] : []),
  ];
}

/** What an undo is going to do. */
export function announceUndo({ target, returning, previous, findings }: UndoPlan, log: Log): void {
  warnOf(findings, log);
  log.info(
    `database "${returning.name}" (${describeBytes(returning.bytes)}) becomes "${target}" again; ${previous === undefined ? 'there is no present one' : `the present one is kept as "${target}_before_…"`}`,
  );
}

/** What a person should know beforehand. */
export function warnOf(
  findings: readonly Finding[],
  log: Log,
  which: readonly Finding['severity'][] = ['warning', 'note'],
): void {
  for (const { severity, message, hint } of findings) {
    if (!which.includes(severity)) continue;
    if (severity === 'warning') log.warn({ hint }, message);
    if (severity === 'note') log.info({ hint }, message);
  }
}

function describeFile({ file, madeAt }: RestorePlan, now: Date): string {
  const label = file.manifest?.label;
  const details = [
    ...(label === undefined ? [] : [`"${label}"`]),
    ...(madeAt === undefined ? [] : [`made ${formatAge(now.getTime() - madeAt.getTime())} ago`]),
    file.manifest === undefined
      ? formatBytes(file.bytes)
      : formatPlural(totalRows(file.manifest.tables), 'row'),
  ];
  return `${file.name} (${details.join(', ')})`;
}

/** A plan as a result of its own. */
export function describePlan(plan: RestorePlan, dropOld: boolean, now: Date): string {
  const { scratch, target, previous } = plan;
  const settings = [...plan.settings.before, ...plan.settings.after];
  const last = settings.length === 0 ? 3 : 4;
  return [
    `1. load ${describeFile(plan, now)} into a new database "${scratch}"`,
    '2. compare the rows of every table, collect statistics (ANALYZE)',
    ...(settings.length === 0 ? [] : ['3. give it the settings of the database:']),
    ...settings.map((statement) => `     ${statement}`),
    previous === undefined
      ? `${last}. rename it to "${target}"`
      : `${last}. rename "${target}" to "${previous}" and the new one to "${target}", in one transaction`,
    ...(dropOld && previous !== undefined ? [`${last + 1}. drop "${previous}" (--drop-old)`] : []),
    'nothing was changed (--dry-run)',
  ].join('\n');
}

/**
 * What a restore has done, and what remains to be done.
 * @param undo the command that takes it back.
 */
export function announceRestored(report: RestoreReport, { log, config, now }: Context): void {
  const { plan, tables, inserted, skipped, leftOut, dropped, durationMs } = report;
  warnOfSkipped(skipped, log);
  if (leftOut > 0) {
    log.warn(
      {
        hint: `look at them in the dump, and at \`${psqlCommand(config.connection)} -c '\\l+' -c '\\drds'\``,
      },
      `left out ${formatPlural(leftOut, 'statement')} of the dump about the database as a whole (pg_dump --create)`,
    );
  }
  const contents = [
    ...(tables.length === 0 && inserted === 0 ? ['definitions only, the dump holds no rows'] : []),
    ...(tables.length > 0
      ? [formatPlural(tables.length, 'table'), formatPlural(totalRows(tables), 'row')]
      : []),
    ...(inserted > 0
      ? [
          `${formatPlural(inserted, 'row')} by INSERT (the file does not say how many there must be)`,
        ]
      : []),
  ].join(', ');
  log.info(
    `restored "${plan.target}" from ${plan.file.name}: ${contents}, ${formatDuration(durationMs)}`,
  );
  const ageMs = plan.madeAt === undefined ? 0 : now().getTime() - plan.madeAt.getTime();
  if (ageMs > anHour) {
    log.info(
      `the backup is ${formatAge(ageMs)} old: if your code is newer, run its migrations (\`alembic upgrade head\`)`,
    );
  }
  if (plan.previous !== undefined) {
    if (dropped) log.info('the previous database was dropped');
    else {
      log.info(`the previous database is kept as "${plan.previous}"`);
      log.info('to take the restore back: `pratiko-backup restore --undo`');
      log.info(`to remove it when all is well: DROP DATABASE ${quoteIdentifier(plan.previous)};`);
    }
  }
  for (const previous of plan.remaining) log.info(describeKept(previous));
}

const anHour = 3_600_000;

/** Ownership and privileges of roles that are not here, or that this user may not make owners. */
export function warnOfSkipped(
  { statements, roles, unassignable }: RestoreReport['skipped'],
  log: Log,
): void {
  if (roles.length === 0) return;
  const hints = [
    ...(roles.length > unassignable.length
      ? ['create the roles that are missing and restore again if you need them']
      : []),
    ...(unassignable.length > 0
      ? [
          `${unassignable.join(', ')}: only a superuser or a member of the role may make it an owner`,
        ]
      : []),
  ];
  log.warn(
    { hint: hints.join('; ') },
    `left out ${formatPlural(statements, 'statement')} about roles that are not on this server or cannot be assigned: ${roles.join(', ')}`,
  );
}
