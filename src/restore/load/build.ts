import { groupTiny, TaskQueue, withWorkers, type Task } from './build-tasks.ts';
import type { Outstanding } from './outstanding.ts';
import type { SessionPool } from './session-pool.ts';
import type { LoadSession } from './session.ts';
import { tinyTableBytes, type TableStatistics } from './statistics.ts';

interface Builders {
  readonly coordinator: LoadSession;
  readonly pool: SessionPool;
  readonly outstanding: Outstanding;
  readonly statistics: TableStatistics;
  /** Is told how many indexes and constraints are left to be built. */
  readonly onBuild: (left: number) => void;
}

/**
 * Builds indexes and constraints side by side: those of one table one after the other, those of large
 * tables first, foreign keys after what they refer to.
 * @param knowsSizes false where tables were filled by INSERT statements: none counts as tiny then.
 */
export async function build(
  tasks: readonly Task[],
  builders: Builders,
  knowsSizes: boolean,
): Promise<void> {
  const { outstanding, statistics, onBuild } = builders;
  const bytes = ({ tables: [key = ''] }: Task) => statistics.bytesOf(key);
  const sorted = tasks.toSorted(
    (a, b) => Number(a.isForeignKey) - Number(b.isForeignKey) || bytes(b) - bytes(a),
  );
  const isTiny = (table: string) => knowsSizes && statistics.bytesOf(table) <= tinyTableBytes;
  const queue = new TaskQueue(groupTiny(sorted, isTiny));
  const busy = new Set<LoadSession>();
  const running = new Set<Promise<void>>();
  while (queue.left > 0 || running.size > 0) {
    onBuild(queue.left);
    const turn = nextTurn(queue, busy, builders);
    if (turn === undefined) {
      await outstanding.any([...running, ...statistics.collecting.values()]);
      continue;
    }
    const { session, task } = turn;
    statistics.note(task);
    const isAlone = queue.left === task.works.length && running.size === 0;
    busy.add(session);
    outstanding.track(running, session.run(...withWorkers(task, isAlone)), () => {
      busy.delete(session);
      if (!task.isAnalysis) queue.done(task);
    });
  }
}

/** What can be begun now, and who does it. */
function nextTurn(
  queue: TaskQueue,
  busy: ReadonlySet<LoadSession>,
  { coordinator, pool, statistics }: Builders,
): { readonly session: LoadSession; readonly task: Task } | undefined {
  const tiny = busy.has(coordinator) ? undefined : queue.takeTiny();
  if (tiny !== undefined) return { session: coordinator, task: tiny };
  if (!pool.hasRoom((session) => busy.has(session))) return undefined;
  const task =
    queue.take(new Set(statistics.collecting.keys())) ??
    statistics.nextTask((table) => queue.needs(table));
  const session = task && pool.idle((each) => busy.has(each));
  return session && { session, task };
}
