import { execa } from 'execa';
import { expect, test } from 'vitest';
import { estimateRows } from '../../src/restore/server-facts.ts';
import { clientEnvironment, server, sql, temporaryDatabase } from '../support/server.ts';

/**
 * A table of 500 rows, of which a session tells `late` only after another one has analyzed it.
 * What a session does within a second of its last report is reported when it ends. Where the
 * machine takes longer than that second from one statement to the next, the rows are reported
 * before the other session analyzes, and counted once: then it is done again.
 */
async function databaseWithRowsCountedTwice(late: number): Promise<string> {
  const { path } = server.psql;
  for (;;) {
    const database = await temporaryDatabase(
      `CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(1, ${500 - late});`,
    );
    const commands = [
      'SELECT FROM t',
      `INSERT INTO t SELECT generate_series(1, ${late})`,
      `\\! ${path} -qc 'ANALYZE t'`,
    ];
    const words = commands.flatMap((command) => ['-c', command]);
    await execa(path, ['-X', '-q', ...words], {
      env: { ...clientEnvironment(database), PATH: process.env.PATH },
    });
    const counted = await sql(database, 'SELECT n_live_tup FROM pg_stat_user_tables;');
    if (counted === String(500 + late)) return database;
  }
}

test.each([500, 100])(
  '%d rows that a session tells only after another has analyzed its table are counted once',
  async (late) => {
    const database = await databaseWithRowsCountedTwice(late);
    expect(await estimateRows(server, database)).toEqual([{ table: 'public.t', rows: 500 }]);
  },
);
