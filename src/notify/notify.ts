import type { Config } from '../config/config.ts';
import { Failure } from '../base/errors.ts';
import { serverLabel } from '../config/place.ts';
import type { Log } from '../base/log.ts';
import type { Heartbeat } from './heartbeat.ts';
import { failedOutcome, isFine, type Done, type Job, type Outcome } from './outcome.ts';
import { notifySlack } from './slack.ts';
import { notifyWebhook, type Sender } from './webhook.ts';

/** What is needed to tell anybody anything. */
export interface Teller extends Sender {
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Adds to commands in hints what says where this run works. */
  readonly completeCommands: (hint: string) => string;
}

/** Somebody who is told of what was done. */
interface Listener {
  readonly name: string;
  readonly wants: (outcome: Outcome) => boolean;
  /** Never throws. Gives why it could not be delivered; undefined if it was. */
  readonly notify: (outcome: Outcome) => Promise<string | undefined>;
}

function listenersOf(teller: Teller, heartbeat: Heartbeat | undefined): Listener[] {
  const { slack, webhookUrl, proxies } = teller.config;
  return [
    ...(slack === undefined
      ? []
      : [
          {
            name: 'Slack',
            wants: (outcome: Outcome) => slack.notify === 'always' || !isFine(outcome),
            notify: (outcome: Outcome) => notifySlack(slack.url, outcome, proxies),
          },
        ]),
    ...(webhookUrl === undefined
      ? []
      : [
          {
            name: 'WEBHOOK_URL',
            wants: () => true,
            notify: (outcome: Outcome) => notifyWebhook(webhookUrl, outcome, proxies, teller),
          },
        ]),
    ...(heartbeat === undefined
      ? []
      : [
          {
            name: 'HEARTBEAT_URL',
            wants: () => true,
            notify: (outcome: Outcome) => heartbeat.ended(outcome),
          },
        ]),
  ];
}

/**
 * Tells everybody who wants to know; that one does not answer changes nothing.
 * @param heartbeat of the run that has ended.
 */
export async function notify(
  teller: Teller,
  outcome: Outcome,
  heartbeat?: Heartbeat,
): Promise<void> {
  const hint = outcome.failure?.hint && teller.completeCommands(outcome.failure.hint);
  const told = outcome.failure ? { ...outcome, failure: { ...outcome.failure, hint } } : outcome;
  const interested = listenersOf(teller, heartbeat).filter(({ wants }) => wants(told));
  await Promise.all(
    interested.map(async (listener) => {
      const problem = await listener.notify(told);
      if (problem !== undefined) teller.log.warn(`${listener.name} was not told: ${problem}`);
    }),
  );
}

/** The database that a run is about, with its server. */
export const databaseLabel = ({ config: { connection } }: Pick<Teller, 'config'>): string =>
  `${connection.database} on ${serverLabel(connection)}`;

/** Of what was asked for wrongly, or while another run is at work, who asked is told, and nobody else. */
const isOfWhoAsked = (error: unknown) =>
  error instanceof Failure && ['usage', 'noSuchBackup', 'locked'].includes(error.kind);

/**
 * Does a job, and tells what came of it.
 * @param describe what was done; or the error with which it ends, although it gives a result.
 */
export async function telling<Result>(
  teller: Teller,
  job: Job,
  work: () => Promise<Result>,
  describe: (result: Result) => Done | Error,
): Promise<Result> {
  const database = databaseLabel(teller);
  try {
    const result = await work();
    const done = describe(result);
    await notify(
      teller,
      done instanceof Error
        ? failedOutcome(job, database, done)
        : { job, outcome: 'success', database, done },
    );
    return result;
  } catch (thrown) {
    const error: unknown = teller.signal.aborted ? teller.signal.reason : thrown;
    if (isOfWhoAsked(error)) throw error;
    await notify(teller, failedOutcome(job, database, error));
    throw error;
  }
}
