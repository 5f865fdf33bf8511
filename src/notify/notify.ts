import type { Config } from '../config/config.ts';
import type { Log } from '../base/log.ts';
import { isFine, type BackupOutcome } from './outcome.ts';
import { notifySlack } from './slack.ts';

/** Somebody who is told of backups. */
interface Listener {
  readonly name: string;
  readonly wants: (outcome: BackupOutcome) => boolean;
  /** Never throws. Gives why it could not be delivered; undefined if it was. */
  readonly notify: (outcome: BackupOutcome) => Promise<string | undefined>;
}

function listenersOf({ slack, proxies }: Config): Listener[] {
  if (slack === undefined) return [];
  return [
    {
      name: 'Slack',
      wants: (outcome) => slack.notify === 'always' || !isFine(outcome),
      notify: (outcome) => notifySlack(slack.url, outcome, proxies),
    },
  ];
}

/** Tells everybody who wants to know; that one does not answer changes nothing. */
export async function notify(config: Config, log: Log, outcome: BackupOutcome): Promise<void> {
  const interested = listenersOf(config).filter(({ wants }) => wants(outcome));
  await Promise.all(
    interested.map(async (listener) => {
      const problem = await listener.notify(outcome);
      if (problem !== undefined) log.warn(`${listener.name} was not told: ${problem}`);
    }),
  );
}
